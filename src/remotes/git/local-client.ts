// A repository on this machine, read as if it were remote: one `git upload-pack` per request, speaking the same stateless
// protocol over its pipes. Native git opens the repository, so it only ever opens folders that the operator named.
import type { Readable, Writable } from "node:stream";
import { pathToFileURL } from "node:url";
import type { LocalFolders } from "../local-folders.ts";
import { abortFailure, requestFailure } from "./errors.ts";
import type { Announcement, GitTransport } from "./transport.ts";

/** One running `git upload-pack`. Disposal ends it with all its children and waits for that. */
export type LocalUploadPack = AsyncDisposable & { readonly stdin: Writable; readonly stdout: Readable };

export type LocalUploadPackCommand = {
  /** Absolute, a git directory (bare, or the `.git` of a checkout), symbolic links resolved. */
  readonly directory: string;
  /** `announce` is `--http-backend-info-refs`, `request` is `--stateless-rpc`. */
  readonly step: "announce" | "request";
  /** Value for GIT_PROTOCOL. */
  readonly protocol: "version=2";
};

/**
 * Runs `git upload-pack --strict <step> -- <directory>` in a process group of its own, with a wiped environment and
 * `safe.directory` set to exactly that directory. The signal kills the group.
 */
export type RunLocalUploadPack = (command: LocalUploadPackCommand, signal: AbortSignal) => LocalUploadPack;

const PROTOCOL = "version=2";

export class LocalClient implements GitTransport {
  readonly #path: string;
  readonly #folders: LocalFolders;
  readonly #run: RunLocalUploadPack;
  readonly #running = new Set<LocalUploadPack>();
  #calls = 0;

  constructor(path: string, folders: LocalFolders, run: RunLocalUploadPack) {
    this.#path = path;
    this.#folders = folders;
    this.#run = run;
  }

  get calls(): number {
    return this.#calls;
  }

  async announce(signal: AbortSignal): Promise<Announcement> {
    const directory = await this.#folders.findGitDirectory(this.#path);
    return {
      endpoint: pathToFileURL(this.#path).href,
      bytes: this.#converse({ directory, step: "announce", protocol: PROTOCOL }, null, signal),
    };
  }

  async request(_endpoint: string, _version: 0 | 2, body: Uint8Array, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const directory = await this.#folders.findGitDirectory(this.#path);
    return this.#converse({ directory, step: "request", protocol: PROTOCOL }, body, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#running].map((process) => process[Symbol.asyncDispose]()));
  }

  async *#converse(
    command: LocalUploadPackCommand,
    body: Uint8Array | null,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, void> {
    if (signal.aborted) throw abortFailure(signal);
    this.#calls += 1;
    const process = this.#run(command, signal);
    this.#running.add(process);
    try {
      // A process that ends before it has read all breaks the pipe; its answer then tells more than EPIPE does.
      process.stdin.on("error", () => undefined);
      process.stdin.end(body ?? undefined);
      for await (const chunk of process.stdout) yield chunk;
    } catch (error) {
      throw requestFailure(error, "upload-pack", signal);
    } finally {
      this.#running.delete(process);
      await process[Symbol.asyncDispose]();
    }
    if (signal.aborted) throw abortFailure(signal);
  }
}
