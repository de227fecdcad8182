// Reads of one repository: refs from the database, objects from the view.
import type { Queryable } from "../db/database.ts";
import { type NamedRef, type RefPage, readNamedRefs, readRef, readRefPage, readRefs } from "../db/refs.ts";
import type { AnnotatedTag } from "../domain/commit.ts";
import { CoregitError } from "../domain/errors.ts";
import { decodeTag, type ObjectType } from "../domain/object-codec.ts";
import type { Oid } from "../domain/oid.ts";
import type { GitPath, Tree } from "../domain/tree.ts";
import type { Comparisons } from "./comparisons.ts";
import { walkHistory, walkPathHistory } from "./history.ts";
import type { PublishedObjects } from "./published-objects.ts";
import type { Commit, PathHistory, Repository, RepositoryReader } from "./store.ts";

const COMMIT_ID = /^[0-9a-f]{4,40}$/i;

export class StoredRepository implements RepositoryReader {
  readonly repository: Repository;
  readonly comparisons: Comparisons;
  readonly #database: Queryable;
  readonly #objects: PublishedObjects;

  constructor(
    repository: Repository,
    parts: { readonly database: Queryable; readonly objects: PublishedObjects; readonly comparisons: Comparisons },
  ) {
    this.repository = repository;
    this.comparisons = parts.comparisons;
    this.#database = parts.database;
    this.#objects = parts.objects;
  }

  readRef(name: string): Promise<Oid | null> {
    return readRef(this.#database, this.repository.id, name);
  }

  readRefs(): Promise<ReadonlyMap<string, Oid>> {
    return readRefs(this.#database, this.repository.id);
  }

  readRefPage(page: RefPage): Promise<readonly NamedRef[]> {
    return readRefPage(this.#database, this.repository.id, page);
  }

  async objectType(oid: Oid): Promise<ObjectType | null> {
    return (await this.#objects.info(this.repository.id, oid))?.type ?? null;
  }

  async peel(oid: Oid): Promise<Oid | null> {
    return (await this.#objects.info(this.repository.id, `${oid}^{commit}`))?.oid ?? null;
  }

  async readTag(oid: Oid): Promise<AnnotatedTag> {
    const object = await this.#objects.read(this.repository.id, oid);
    if (object?.type !== "tag") throw new CoregitError("ObjectMissing", `There is no tag object ${oid}.`, { details: { oid } });
    return decodeTag(oid, object.content);
  }

  readonly readTree = (oid: Oid): Tree | Promise<Tree> => this.#objects.tree(this.repository.id, oid);

  readonly readCommit = (oid: Oid): Promise<Commit> => this.#objects.commit(this.repository.id, oid);

  async readBlob(oid: Oid): Promise<Uint8Array> {
    const cached = this.#objects.cache.blob(this.repository.id, oid);
    if (cached !== null) return cached;
    const object = await this.#objects.read(this.repository.id, oid);
    if (object?.type !== "blob") throw new CoregitError("ObjectMissing", `There is no blob ${oid}.`, { details: { oid } });
    return object.content;
  }

  async blobSize(oid: Oid): Promise<number | null> {
    const cached = this.#objects.cache.blob(this.repository.id, oid);
    if (cached !== null) return cached.byteLength;
    const info = await this.#objects.info(this.repository.id, oid);
    return info?.type === "blob" ? info.size : null;
  }

  blobSizes(tree: Oid, count: number): Promise<readonly (number | null)[]> {
    return this.#objects.blobSizes(this.repository.id, tree, count);
  }

  streamBlob(oid: Oid, range: { readonly start: number; readonly end: number }, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    return this.#objects.streamBlob(this.repository.id, { oid, ...range }, signal);
  }

  async resolveCommit(revision: string): Promise<Oid> {
    const names = [`refs/heads/${revision}`, `refs/tags/${revision}`, revision];
    const refs = await readNamedRefs(this.#database, this.repository.id, names);
    const named = names.map((name) => refs.get(name)).find((oid) => oid !== undefined);
    const id = named ?? (COMMIT_ID.test(revision) ? revision.toLowerCase() : null);
    if (id !== null && this.#objects.cache.commit(this.repository.id, id as Oid) !== null) return id as Oid;
    // Only digits reach git, so nothing of what a user wrote is read as an expression.
    const commit = id === null ? null : await this.#objects.info(this.repository.id, `${id}^{commit}`);
    if (commit === null) {
      throw new CoregitError("RefNotFound", `There is no branch, tag or commit ${JSON.stringify(revision.slice(0, 200))}.`);
    }
    return commit.oid;
  }

  logOfPath(from: Oid, window: { readonly path: GitPath; readonly limit: number; readonly skip: number }): Promise<PathHistory> {
    return walkPathHistory(this, from, window);
  }

  log(from: Oid, window: { readonly limit: number; readonly skip: number }): Promise<Commit[]> {
    return walkHistory(this.readCommit, from, window);
  }
}
