// Reads objects of published packs through one lasting git per hot repository. What is missing may have been published
// a moment ago by another process, and a git may have lost a view that was deleted: both are settled by looking again once.
import { LRUCache } from "lru-cache";
import type { Commit } from "../domain/commit.ts";
import { CoregitError } from "../domain/errors.ts";
import { decodeCommit, decodeTree } from "../domain/object-codec.ts";
import { EMPTY_TREE, type Oid } from "../domain/oid.ts";
import type { Tree, TreeEntry } from "../domain/tree.ts";
import { CatFile, type ObjectInfo, type StoredObject } from "../git/cat-file.ts";
import { streamBlob } from "../git/stream-blob.ts";
import type { BlobSizes, ObjectCache } from "./object-cache.ts";
import type { ViewCache } from "./views.ts";

/** How many repositories have a process at once, and how long it waits for the next question. */
const MAX_PROCESSES = 16;
const IDLE_MS = 60_000;

export class PublishedObjects implements AsyncDisposable {
  readonly cache: ObjectCache;
  readonly #views: ViewCache;
  readonly #processes: LRUCache<string, CatFile>;
  readonly #closing = new Set<Promise<void>>();

  constructor(views: ViewCache, cache: ObjectCache) {
    this.#views = views;
    this.cache = cache;
    this.#processes = new LRUCache({
      max: MAX_PROCESSES,
      ttl: IDLE_MS,
      ttlAutopurge: true,
      updateAgeOnGet: true,
      dispose: (process) => this.#close(process),
    });
  }

  /** @throws CoregitError `ObjectMissing`. */
  tree(repositoryId: string, oid: Oid): Tree | Promise<Tree> {
    if (oid === EMPTY_TREE) return [];
    return this.cache.tree(repositoryId, oid) ?? this.#readTree(repositoryId, oid);
  }

  /** @throws CoregitError `ObjectMissing`. */
  async commit(repositoryId: string, oid: Oid): Promise<Commit> {
    const cached = this.cache.commit(repositoryId, oid);
    if (cached !== null) return cached;
    const object = await this.read(repositoryId, oid);
    if (object?.type !== "commit") throw missing("commit", oid);
    const commit = decodeCommit(oid, object.content);
    this.cache.setCommit(repositoryId, commit);
    return commit;
  }

  /** `name`: what `CatFile` takes. */
  info(repositoryId: string, name: string): Promise<ObjectInfo | null> {
    return this.#ask(repositoryId, (process) => process.info(name));
  }

  read(repositoryId: string, name: string): Promise<StoredObject | null> {
    return this.#ask(repositoryId, (process) => process.read(name));
  }

  /** Sizes of the blobs among the first `count` entries of a tree, by position. @throws CoregitError `ObjectMissing`. */
  async blobSizes(repositoryId: string, oid: Oid, count: number): Promise<BlobSizes> {
    const known = this.cache.sizes(repositoryId, oid);
    if (known.length >= count) return known;
    const wanted = (await this.tree(repositoryId, oid)).slice(known.length, count);
    const sizes = [...known, ...(await this.#readSizes(repositoryId, wanted))];
    this.cache.setSizes(repositoryId, oid, sizes);
    return sizes;
  }

  /** The bytes of a blob from `start` to before `end`, by a process of their own. @throws CoregitError `ObjectMissing`. */
  async *streamBlob(
    repositoryId: string,
    { oid, start, end }: { readonly oid: Oid; readonly start: number; readonly end: number },
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    using view = await this.#views.lease(repositoryId);
    let offset = 0;
    for await (const chunk of streamBlob(view.directory, oid, signal)) {
      const part = chunk.subarray(Math.max(start - offset, 0), Math.max(end - offset, 0));
      offset += chunk.length;
      if (part.length > 0) yield part;
      // The last chunk of a blob comes when nothing is wrong with it, so it is waited for.
      if (offset > end) return;
    }
    if (offset < end) throw missing("blob", oid);
  }

  /** Lets go of a repository's process, so that its view can be removed. */
  forget(repositoryId: string): void {
    this.#processes.delete(repositoryId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#processes.clear();
    await Promise.all(this.#closing);
  }

  async #readTree(repositoryId: string, oid: Oid): Promise<Tree> {
    const object = await this.read(repositoryId, oid);
    if (object?.type !== "tree") throw missing("tree", oid);
    const tree = decodeTree(object.content);
    this.cache.setTree(repositoryId, oid, tree);
    return tree;
  }

  /** All in one go: a process answers in order, so nothing is gained by waiting for each. */
  async #readSizes(repositoryId: string, entries: readonly TreeEntry[]): Promise<BlobSizes> {
    const blobs = entries.filter(isBlob);
    const infos = await this.#ask(repositoryId, async (process) => {
      const found = await Promise.all(blobs.map(({ oid }) => process.info(oid)));
      return found.includes(null) ? null : found;
    });
    if (infos === null) throw new CoregitError("ObjectMissing", "A blob that a tree names is not there.");
    const sizes = infos.values();
    return entries.map((entry) => (isBlob(entry) ? (sizes.next().value?.size ?? null) : null));
  }

  async #ask<T>(repositoryId: string, question: (process: CatFile) => Promise<T | null>): Promise<T | null> {
    const process = this.#processes.get(repositoryId);
    const answer = process === undefined || process.isClosed ? null : await question(process).catch(passOverEnded);
    if (answer !== null) return answer;
    if (process?.isClosed === true) this.#processes.delete(repositoryId);
    return await question(await this.#openProcess(repositoryId));
  }

  /** A process on a view that is current now. */
  async #openProcess(repositoryId: string): Promise<CatFile> {
    const directory = await this.#views.current(repositoryId);
    const existing = this.#processes.get(repositoryId);
    if (existing !== undefined && !existing.isClosed) return existing;
    const process = new CatFile(directory);
    this.#processes.set(repositoryId, process);
    return process;
  }

  #close(process: CatFile): void {
    const closing = process[Symbol.asyncDispose]().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}

function isBlob({ mode }: TreeEntry): boolean {
  return mode !== "40000" && mode !== "160000";
}

function missing(type: "tree" | "commit" | "blob", oid: Oid): CoregitError {
  return new CoregitError("ObjectMissing", `There is no ${type} ${oid}.`, { details: { oid } });
}

function passOverEnded(error: unknown): null {
  if (error instanceof CoregitError && error.code === "ObjectMissing") return null;
  throw error;
}
