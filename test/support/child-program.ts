// Runs a program of the tests in a process of its own, to be killed.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { keepOutput } from "./secrets/keep-output.ts";
import { observed } from "./secrets/observed-program.ts";

export interface ChildProgram extends AsyncDisposable {
  readonly pid: number;
  /** The first line that it prints; rejects with what it wrote to stderr when it ends without one. */
  readonly firstLine: Promise<string>;
  /** Resolves to its exit code when it has ended. */
  readonly exitCode: Promise<number | null>;
  /** Sends the signal and waits for the end. */
  end(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
}

/** Starts `test/support/<file>` with this Node. Disposal kills it. */
export function startChildProgram(file: string, args: readonly string[]): ChildProgram {
  const command = observed([join(import.meta.dirname, file), ...args]);
  const child = spawn(process.execPath, command, { stdio: ["ignore", "pipe", "pipe"] });
  const exitCode = once(child, "exit").then(([code]) => (typeof code === "number" ? code : null));
  keepOutput(file, child);
  const errors = text(child.stderr);
  const end = async (signal: "SIGTERM" | "SIGKILL") => {
    child.kill(signal);
    await exitCode;
  };
  const firstLine = readFirstLine(child.stdout).then(async (line) => {
    if (line === null) throw new Error(await errors);
    return line;
  });
  firstLine.catch(() => undefined);
  return { pid: child.pid ?? 0, firstLine, exitCode, end, [Symbol.asyncDispose]: () => end("SIGKILL") };
}

export function isEnded({ pid }: Pick<ChildProgram, "pid">): boolean {
  try {
    return !process.kill(pid, 0);
  } catch {
    return true;
  }
}

/** What comes after it is read, too, so that the program can go on writing. */
function readFirstLine(output: Readable): Promise<string | null> {
  const lines = createInterface({ input: output });
  return new Promise((resolve) => {
    lines.once("line", resolve);
    lines.once("close", () => resolve(null));
  });
}
