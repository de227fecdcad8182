// The only place that starts git. A process ends on abort, on its deadline, or when the owner lets go of it, and with it all
// that it started: it has a group of its own, unless it runs in the background. Its input and output are pipes, so when this
// program is killed git reads the end of its input and leaves too.
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { constants, setPriority } from "node:os";
import type { Readable, Writable } from "node:stream";
import { CoregitError } from "../domain/errors.ts";
import { type GitProtocol, gitArguments, gitEnvironment } from "./git-environment.ts";

/** How much of the end of stderr is kept, for error mapping and the log. */
const STDERR_BYTES = 16_384;
/** Between SIGTERM, at which git removes its temporary files, and SIGKILL. */
const KILL_GRACE_MS = 1_000;

export type GitCommand = {
  readonly args: readonly string[];
  /** Configuration of this command alone, each as `name=value`. */
  readonly settings?: readonly string[];
  /** Absolute path of a bare repository; null for commands that need none. */
  readonly gitDir: string | null;
  readonly protocol?: GitProtocol | null;
  /** Address space that the process may use, for those that parse bytes from outside. */
  readonly memoryBytes?: number;
  /** Processor time that it may use, in seconds of all its threads; counts only beside `memoryBytes`. */
  readonly cpuSeconds?: number;
  /** Milliseconds after which the process is ended. */
  readonly deadlineMs?: number;
  /** Nobody waits for it: it takes the processor when nothing else wants it. For commands that start no others. */
  readonly isBackground?: boolean;
  readonly signal?: AbortSignal;
};

export type GitExit = {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The end of what git said, at most 16 KiB. */
  readonly stderr: string;
  /** Why the process could not be started. */
  readonly startError: Error | null;
  /** Its deadline or signal ended it. */
  readonly wasAborted: boolean;
};

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** A running git. Disposing ends it and resolves when it is gone. */
export class GitProcess implements AsyncDisposable {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Resolves when the process is gone and its output is read; never rejects. */
  readonly exited: Promise<GitExit>;
  readonly #child: Child;
  readonly #owned: "group" | "process";
  #hasExited = false;
  #wasAborted = false;
  #stderr = Buffer.alloc(0);

  /** `owned`: what ends with it, its group or itself alone. */
  constructor(child: Child, owned: "group" | "process", signal: AbortSignal | null) {
    this.#child = child;
    this.#owned = owned;
    this.stdin = child.stdin;
    this.stdout = child.stdout;
    // A git that ends early closes its input; its exit says why.
    child.stdin.on("error", () => undefined);
    child.stderr.on("data", (chunk: Buffer) => {
      this.#stderr = Buffer.concat([this.#stderr, chunk]).subarray(-STDERR_BYTES);
    });
    this.exited = this.#watch(signal);
  }

  /** Ends what is owned: politely, then not. */
  kill(): void {
    if (this.#hasExited) return;
    this.#signalOwned("SIGTERM");
    const timer = setTimeout(() => this.#signalOwned("SIGKILL"), KILL_GRACE_MS);
    void this.exited.then(() => clearTimeout(timer));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill();
    this.stdin.destroy();
    this.stdout.destroy();
    await this.exited;
  }

  #watch(signal: AbortSignal | null): Promise<GitExit> {
    const { promise, resolve } = Promise.withResolvers<GitExit>();
    const onAbort = () => {
      this.#wasAborted = true;
      this.kill();
    };
    const settle = (code: number | null, exitSignal: NodeJS.Signals | null, startError: Error | null) => {
      this.#hasExited = true;
      signal?.removeEventListener("abort", onAbort);
      const stderr = this.#stderr.toString("utf8");
      resolve({ code, signal: exitSignal, stderr, startError, wasAborted: this.#wasAborted });
    };
    this.#child.once("error", (error) => settle(null, null, error));
    this.#child.once("close", (code, exitSignal) => settle(code, exitSignal, null));
    signal?.addEventListener("abort", onAbort, { once: true });
    if (signal?.aborted === true) queueMicrotask(onAbort);
    return promise;
  }

  #signalOwned(name: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined || this.#hasExited) return;
    try {
      if (this.#owned === "group") process.kill(-pid, name);
      else this.#child.kill(name);
    } catch {
      // It is gone already.
    }
  }
}

export function startGit(command: GitCommand): GitProcess {
  const signals = [
    ...(command.signal === undefined ? [] : [command.signal]),
    ...(command.deadlineMs === undefined ? [] : [AbortSignal.timeout(command.deadlineMs)]),
  ];
  const [file, args] = commandLine(command);
  const child = spawn(file, args, {
    cwd: "/",
    // A group of one's own is a session of one's own, to which Linux may give as much of the processor as to this program,
    // whatever the priority in it (sched_autogroup).
    detached: command.isBackground !== true,
    env: gitEnvironment(command.protocol ?? null),
    stdio: ["pipe", "pipe", "pipe"],
  });
  if (command.isBackground === true) stepBack(child.pid);
  const owned = command.isBackground === true ? "process" : "group";
  return new GitProcess(child, owned, signals.length === 0 ? null : AbortSignal.any(signals));
}

function stepBack(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    // It has ended already.
  }
}

/** The shell's only work is the limits: the script is constant and every argument stays one. */
function commandLine(command: GitCommand): [string, string[]] {
  const args = gitArguments(command.gitDir, command.args, command.settings ?? []);
  if (command.memoryBytes === undefined) return ["git", args];
  const limits = [String(Math.ceil(command.memoryBytes / 1024)), String(command.cpuSeconds ?? "unlimited")];
  return ["sh", ["-c", 'ulimit -v "$1" && ulimit -S -t "$2" && shift 2 && exec git "$@"', "sh", ...limits, ...args]];
}

export type GitOutput = { readonly stdout: Buffer; readonly exit: GitExit };

/**
 * Runs git to its end with `input` (default: none), collecting its output.
 * @throws CoregitError `Internal` when there is no git or it writes more than `maxOutputBytes`; the signal's reason when aborted.
 */
export async function runGit(
  command: GitCommand,
  options: { readonly input?: Uint8Array | string; readonly maxOutputBytes: number },
): Promise<GitOutput> {
  await using git = startGit(command);
  git.stdin.end(options.input);
  const chunks: Buffer[] = [];
  let size = 0;
  git.stdout.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size <= options.maxOutputBytes) chunks.push(chunk);
    else git.kill();
  });
  const exit = await git.exited;
  command.signal?.throwIfAborted();
  if (exit.startError !== null) throw gitFailure(command, exit);
  if (size > options.maxOutputBytes) throw new CoregitError("Internal", `git ${command.args[0]} wrote more than expected.`);
  return { stdout: Buffer.concat(chunks), exit };
}

/** A failure that nothing from outside explains: a defect, or a machine without a usable git. */
export function gitFailure(command: GitCommand, exit: GitExit): CoregitError {
  const name = `git ${command.args[0]}`;
  if (exit.startError !== null) {
    return new CoregitError("Internal", `${name} could not be started: is git installed?`, { cause: exit.startError });
  }
  if (exit.wasAborted) return new CoregitError("Timeout", `${name} took too long and was ended.`);
  const cause = new Error(exit.stderr.trim());
  return new CoregitError("Internal", `${name} ended with ${exit.signal ?? exit.code}.`, { cause });
}
