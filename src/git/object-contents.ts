// Contents of many objects, read in one go: each is handed on as it stands in what git wrote, without a question of its own.
import { CoregitError } from "../domain/errors.ts";
import type { ObjectType } from "../domain/object-codec.ts";
import type { Oid } from "../domain/oid.ts";
import type { StoredObject } from "./cat-file.ts";
import { feed } from "./feed.ts";
import { type GitCommand, gitFailure, startGit } from "./git-process.ts";

const LINE_FEED = 0x0a;

/**
 * Each of `oids` in the repository with its content, in their order, some at a time. Contents lie side by side in memory: whoever keeps
 * one copies it. Whoever stops early ends git, and `oids`.
 * @throws CoregitError `ObjectMissing`, `Internal`; what `oids` throws; the signal's reason when it is aborted.
 */
export async function* readContents(
  gitDir: string,
  oids: AsyncIterable<readonly Oid[]>,
  limits: { readonly memoryBytes: number; readonly signal: AbortSignal },
): AsyncGenerator<readonly StoredObject[]> {
  const args = ["cat-file", "--buffer", "--batch=%(objecttype) %(objectsize)"];
  const command: GitCommand = { args, gitDir, ...limits };
  const contents = new Contents();
  const asked = Promise.withResolvers<void>();
  async function* questions(): AsyncGenerator<Uint8Array> {
    try {
      for await (const some of oids) {
        contents.expect(some);
        if (some.length > 0) yield Buffer.from(`${some.join("\n")}\n`, "latin1");
      }
    } finally {
      asked.resolve();
    }
  }
  const git = startGit(command);
  try {
    const fed = feed(git, questions());
    // Heard below, unless whoever reads stops before.
    fed.catch(() => undefined);
    for await (const chunk of git.stdout) yield contents.take(chunk as Buffer);
    await fed;
    const exit = await git.exited;
    limits.signal.throwIfAborted();
    if (exit.code !== 0 || !contents.isComplete) throw gitFailure(command, exit);
  } finally {
    // First git, so that nothing waits any more for it to take a question.
    await git[Symbol.asyncDispose]();
    await asked.promise;
  }
}

/** Takes what git writes apart. */
class Contents {
  readonly #expected: Oid[] = [];
  #taken = 0;
  /** What has come and is not handed on, and how much of it there must be before more can be handed on. */
  #chunks: Buffer[] = [];
  #bytes = 0;
  #wantedBytes = 1;

  expect(oids: readonly Oid[]): void {
    for (const oid of oids) this.#expected.push(oid);
  }

  get isComplete(): boolean {
    return this.#taken === this.#expected.length && this.#bytes === 0;
  }

  /** The objects that end in `chunk`. @throws CoregitError `ObjectMissing`. */
  take(chunk: Buffer): readonly StoredObject[] {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes < this.#wantedBytes) return [];
    const bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks, this.#bytes);
    const objects: StoredObject[] = [];
    let offset = 0;
    this.#wantedBytes = 1;
    while (offset < bytes.length) {
      const lineEnd = bytes.indexOf(LINE_FEED, offset);
      if (lineEnd < 0) break;
      const info = this.#infoOf(bytes.toString("latin1", offset, lineEnd));
      // A line feed follows the content.
      const end = lineEnd + 1 + info.size;
      this.#wantedBytes = end + 1 - offset;
      if (end >= bytes.length) break;
      objects.push({ ...info, content: bytes.subarray(lineEnd + 1, end) });
      this.#taken += 1;
      this.#wantedBytes = 1;
      offset = end + 1;
    }
    this.#chunks = offset === bytes.length ? [] : [bytes.subarray(offset)];
    this.#bytes = bytes.length - offset;
    this.#wantedBytes = Math.max(this.#wantedBytes, this.#bytes + 1);
    return objects;
  }

  #infoOf(line: string): Omit<StoredObject, "content"> {
    const oid = this.#expected[this.#taken];
    const space = line.indexOf(" ");
    const size = Number(line.slice(space + 1));
    // `<oid> missing`: its file is gone.
    if (oid === undefined || Number.isNaN(size)) {
      throw new CoregitError("ObjectMissing", `There is no object ${oid ?? ""}.`, oid === undefined ? {} : { details: { oid } });
    }
    return { oid, type: line.slice(0, space) as ObjectType, size };
  }
}
