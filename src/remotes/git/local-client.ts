// A repository on this machine, read and written as if it were remote: one `git upload-pack` or `git receive-pack` per
// request, speaking the same stateless protocol over its pipes. Native git opens the repository, so it only ever opens
// folders that the operator named.
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { pathToFileURL } from "node:url";
import { CoregitError } from "../../domain/errors.ts";
import type { LocalFolders } from "../local-folders.ts";
import { abortFailure, requestFailure } from "./errors.ts";
import type { Announcement, GitRequest, GitSide, GitTransport } from "./transport.ts";

/** One running git. Disposal ends it with all its children and waits for that. */
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

export type LocalReceivePackCommand = Omit<LocalUploadPackCommand, "protocol">;

/** Runs `git receive-pack` in the same way, without the hooks of the repository. */
export type RunLocalReceivePack = (command: LocalReceivePackCommand, signal: AbortSignal) => LocalUploadPack;

/** `receivePack` null: nothing is pushed to this machine. */
export type LocalCommands = { readonly uploadPack: RunLocalUploadPack; readonly receivePack: RunLocalReceivePack | null };

const PROTOCOL = "version=2";

type Body = Uint8Array | AsyncIterable<Uint8Array>;

export class LocalClient implements GitTransport {
  readonly #path: string;
  readonly #folders: LocalFolders;
  readonly #commands: LocalCommands;
  readonly #running = new Set<LocalUploadPack>();
  #calls = 0;

  constructor(path: string, folders: LocalFolders, commands: LocalCommands) {
    this.#path = path;
    this.#folders = folders;
    this.#commands = commands;
  }

  get calls(): number {
    return this.#calls;
  }

  async announce(service: GitSide, signal: AbortSignal): Promise<Announcement> {
    const directory = await this.#folders.findGitDirectory(this.#path);
    const start = this.#starter(service, { directory, step: "announce" });
    return { endpoint: pathToFileURL(this.#path).href, bytes: this.#converse(start, new Uint8Array(), signal) };
  }

  async request({ service, body }: GitRequest, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const directory = await this.#folders.findGitDirectory(this.#path);
    return this.#converse(this.#starter(service, { directory, step: "request" }), body, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#running].map((process) => process[Symbol.asyncDispose]()));
  }

  /** @throws CoregitError `DirectionUnsupported`. */
  #starter(service: GitSide, command: LocalReceivePackCommand): (signal: AbortSignal) => LocalUploadPack {
    const { uploadPack, receivePack } = this.#commands;
    if (service === "upload-pack") return (signal) => uploadPack({ ...command, protocol: PROTOCOL }, signal);
    if (receivePack !== null) return (signal) => receivePack(command, signal);
    throw new CoregitError("DirectionUnsupported", "Nothing is exported to folders of this machine here.");
  }

  async *#converse(
    start: (signal: AbortSignal) => LocalUploadPack,
    body: Body,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, void> {
    if (signal.aborted) throw abortFailure(signal);
    this.#calls += 1;
    const process = start(signal);
    this.#running.add(process);
    try {
      // A process that ends before it has read all breaks the pipe; its answer then tells more than EPIPE does.
      process.stdin.on("error", () => undefined);
      const fed = feed(process.stdin, body);
      for await (const chunk of process.stdout) yield chunk;
      await fed;
    } catch (error) {
      throw requestFailure(error, "git", signal);
    } finally {
      this.#running.delete(process);
      await process[Symbol.asyncDispose]();
    }
    if (signal.aborted) throw abortFailure(signal);
  }
}

/** Never rejects: whose body it is knows whether it failed, and git's answer tells what became of it. */
async function feed(stdin: Writable, body: Body): Promise<void> {
  if (body instanceof Uint8Array) stdin.end(body);
  else await pipeline(Readable.from(body, { objectMode: false }), stdin).catch(() => undefined);
}
