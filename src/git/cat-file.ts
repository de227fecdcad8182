// A git that stays and answers for objects: `cat-file --batch-command`. Requests of one turn of the event loop are sent
// together, and git writes their answers, in order, as large pieces: a system call for each object would cost more than the
// object. It finds packs that are added to its repository later; of a repository that was removed and made anew it
// knows nothing, so its owner then starts another.
import { CoregitError } from "../domain/errors.ts";
import type { ObjectType } from "../domain/object-codec.ts";
import { type Oid, parseOid } from "../domain/oid.ts";
import { type GitProcess, startGit } from "./git-process.ts";

export type ObjectInfo = { readonly oid: Oid; readonly type: ObjectType; readonly size: number };
export type StoredObject = ObjectInfo & { readonly content: Buffer };

type Request = {
  readonly wantsContent: boolean;
  resolve(object: ObjectInfo | StoredObject | null): void;
  reject(error: Error): void;
};

type Reading = { readonly request: Request; readonly info: ObjectInfo; readonly chunks: Buffer[]; missing: number };

const LINE_FEED = 0x0a;
const HEADER = /^([0-9a-f]{40}) (blob|tree|commit|tag) (\d+)$/;

export class CatFile implements AsyncDisposable {
  readonly #git: GitProcess;
  readonly #waiting: Request[] = [];
  #unsent: string[] = [];
  #rest = "";
  #reading: Reading | null = null;
  #isClosed = false;

  /** `memoryBytes` bounds the process when what it reads is not published yet. */
  constructor(gitDir: string, options: { readonly memoryBytes?: number } = {}) {
    this.#git = startGit({ args: ["cat-file", "--buffer", "--batch-command"], gitDir, ...options });
    this.#git.stdout.on("data", (chunk: Buffer) => this.#take(chunk));
    void this.#git.exited.then(() => this.#fail());
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get isBusy(): boolean {
    return this.#waiting.length > 0 || this.#reading !== null;
  }

  /**
   * The object that `name` means: an oid, or an abbreviated one, or either followed by `^{commit}`. Null: there is none, or more
   * than one. Callers check the form of `name`.
   * @throws CoregitError `ObjectMissing` when the process ended before it answered.
   */
  info(name: string): Promise<ObjectInfo | null> {
    return this.#ask("info", name);
  }

  /** The same with its whole content. */
  async read(name: string): Promise<StoredObject | null> {
    const object = await this.#ask("contents", name);
    return object !== null && "content" in object ? object : null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.#git[Symbol.asyncDispose]();
  }

  #ask(command: "info" | "contents", name: string): Promise<ObjectInfo | StoredObject | null> {
    if (this.#isClosed) return Promise.reject(closed());
    const { promise, resolve, reject } = Promise.withResolvers<ObjectInfo | StoredObject | null>();
    this.#waiting.push({ wantsContent: command === "contents", resolve, reject });
    if (this.#unsent.length === 0) queueMicrotask(() => this.#send());
    this.#unsent.push(`${command} ${name}\n`);
    return promise;
  }

  #send(): void {
    this.#git.stdin.write(`${this.#unsent.join("")}flush\n`);
    this.#unsent = [];
  }

  #take(chunk: Buffer): void {
    let rest: Buffer | null = chunk;
    while (rest !== null && rest.length > 0)
      rest = this.#reading === null ? this.#takeHeader(rest) : this.#takeContent(this.#reading, rest);
  }

  #takeHeader(chunk: Buffer): Buffer | null {
    const end = chunk.indexOf(LINE_FEED);
    if (end < 0) {
      this.#rest += chunk.toString("latin1");
      return null;
    }
    const line = `${this.#rest}${chunk.toString("latin1", 0, end)}`;
    this.#rest = "";
    const request = this.#waiting.shift();
    const [, oid, type, size] = HEADER.exec(line) ?? [];
    if (request === undefined) return null;
    if (oid === undefined) {
      request.resolve(null);
      return chunk.subarray(end + 1);
    }
    const info = { oid: parseOid(oid), type: type as ObjectType, size: Number(size) };
    if (request.wantsContent) this.#reading = { request, info, chunks: [], missing: info.size + 1 };
    else request.resolve(info);
    return chunk.subarray(end + 1);
  }

  /** Content and the line feed after it. */
  #takeContent(reading: Reading, chunk: Buffer): Buffer {
    const part = chunk.subarray(0, reading.missing);
    reading.chunks.push(part);
    reading.missing -= part.length;
    if (reading.missing === 0) {
      this.#reading = null;
      const content = Buffer.concat(reading.chunks).subarray(0, -1);
      reading.request.resolve({ ...reading.info, content });
    }
    return chunk.subarray(part.length);
  }

  #fail(): void {
    this.#isClosed = true;
    const { request } = this.#reading ?? {};
    for (const unanswered of [...(request === undefined ? [] : [request]), ...this.#waiting.splice(0)])
      unanswered.reject(closed());
    this.#reading = null;
  }
}

function closed(): CoregitError {
  return new CoregitError("ObjectMissing", "The process that reads objects ended before it answered.");
}
