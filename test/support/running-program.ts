// A server in a process of its own, its output in a file.
import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { tmpdir } from "node:os";
import { basename } from "node:path";
import { finished } from "node:stream/promises";
import { knowSecretsOfEnvironment } from "./secrets/declared-secrets.ts";
import { keepOutput } from "./secrets/keep-output.ts";
import { observed, observingEnvironment } from "./secrets/observed-program.ts";

const STOP_GRACE_MS = 10_000;

export type RunningProgram = AsyncDisposable & { readonly child: ChildProcess };

type Start = {
  readonly args: readonly string[];
  readonly logPath: string;
  /** Beside PATH and TMPDIR. */
  readonly env?: Readonly<Record<string, string>>;
};

/** Runs until it is disposed of or this process ends. */
export function startProgram(program: string, { args, logPath, env = {} }: Start): RunningProgram {
  knowSecretsOfEnvironment(env);
  const stdio = ["ignore", "pipe", "pipe"] as const;
  const isOwn = program === process.execPath;
  const inherited = { PATH: process.env.PATH, TMPDIR: tmpdir(), ...(isOwn ? observingEnvironment() : {}) };
  const child = spawn(program, isOwn ? observed(args) : args, { stdio: [...stdio], env: { ...inherited, ...env } });
  keepOutput(`${basename(program)} ${args[0] ?? ""}`, child);
  const log = createWriteStream(logPath);
  child.stdout?.pipe(log, { end: false });
  child.stderr?.pipe(log, { end: false });
  const exited = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  const killNow = (): void => void child.kill("SIGKILL");
  process.once("exit", killNow);
  return {
    child,
    async [Symbol.asyncDispose]() {
      process.removeListener("exit", killNow);
      child.kill("SIGTERM");
      const grace = setTimeout(killNow, STOP_GRACE_MS);
      await exited;
      clearTimeout(grace);
      await finished(log.end());
    },
  };
}
