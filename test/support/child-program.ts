// Runs a program of the tests in a process of its own, to be killed.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { keepSaid } from "./secrets/evidence.ts";
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
  const errors = text(child.stderr);
  errors.then((written) => keepSaid(`the output of ${file}`, written)).catch(() => undefined);
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

async function readFirstLine(output: NodeJS.ReadableStream): Promise<string | null> {
  let received = "";
  for await (const piece of output) {
    received += String(piece);
    const end = received.indexOf("\n");
    if (end >= 0) return received.slice(0, end);
  }
  return null;
}
