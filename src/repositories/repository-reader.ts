// Reads of one repository: refs from the database, objects from the view.
import type { Queryable } from "../db/database.ts";
import { readNamedRefs, readRef, readRefs } from "../db/refs.ts";
import { CoregitError } from "../domain/errors.ts";
import type { Oid } from "../domain/oid.ts";
import type { Tree } from "../domain/tree.ts";
import { walkHistory } from "./history.ts";
import type { PublishedObjects } from "./published-objects.ts";
import type { Commit, Repository, RepositoryReader } from "./store.ts";

const COMMIT_ID = /^[0-9a-f]{4,40}$/i;

export class StoredRepository implements RepositoryReader {
  readonly repository: Repository;
  readonly #database: Queryable;
  readonly #objects: PublishedObjects;

  constructor(repository: Repository, database: Queryable, objects: PublishedObjects) {
    this.repository = repository;
    this.#database = database;
    this.#objects = objects;
  }

  readRef(name: string): Promise<Oid | null> {
    return readRef(this.#database, this.repository.id, name);
  }

  readRefs(): Promise<ReadonlyMap<string, Oid>> {
    return readRefs(this.#database, this.repository.id);
  }

  readonly readTree = (oid: Oid): Tree | Promise<Tree> => this.#objects.tree(this.repository.id, oid);

  readonly readCommit = (oid: Oid): Promise<Commit> => this.#objects.commit(this.repository.id, oid);

  async readBlob(oid: Oid): Promise<Uint8Array> {
    const object = await this.#objects.read(this.repository.id, oid);
    if (object?.type !== "blob") throw new CoregitError("ObjectMissing", `There is no blob ${oid}.`, { details: { oid } });
    return object.content;
  }

  async blobSize(oid: Oid): Promise<number | null> {
    const info = await this.#objects.info(this.repository.id, oid);
    return info?.type === "blob" ? info.size : null;
  }

  async resolveCommit(revision: string): Promise<Oid> {
    const names = [`refs/heads/${revision}`, `refs/tags/${revision}`, revision];
    const refs = await readNamedRefs(this.#database, this.repository.id, names);
    const named = names.map((name) => refs.get(name)).find((oid) => oid !== undefined);
    const id = named ?? (COMMIT_ID.test(revision) ? revision.toLowerCase() : null);
    // Only digits reach git, so nothing of what a user wrote is read as an expression.
    const commit = id === null ? null : await this.#objects.info(this.repository.id, `${id}^{commit}`);
    if (commit === null) {
      throw new CoregitError("RefNotFound", `There is no branch, tag or commit ${JSON.stringify(revision.slice(0, 200))}.`);
    }
    return commit.oid;
  }

  log(from: Oid, window: { readonly limit: number; readonly skip: number }): Promise<Commit[]> {
    return walkHistory(this.readCommit, from, window);
  }
}
