// What commits would be made of that are not published yet, on top of what a reader has: each is made on the one before it. Nobody
// else sees them before they are published.
import type { Commit } from "../domain/commit.ts";
import type { PlanSource } from "../domain/commit-plan.ts";
import type { NewObject } from "../domain/object-codec.ts";
import type { Oid } from "../domain/oid.ts";
import type { Tree } from "../domain/tree.ts";
import type { NewTree } from "../domain/tree-edit.ts";
import type { RepositoryReader } from "./store.ts";

/** What a commit is made from. */
export type CommitSource = PlanSource & Pick<RepositoryReader, "readCommit" | "readRef">;

export class UnpublishedObjects implements CommitSource {
  readonly #reader: CommitSource;
  readonly #commits = new Map<Oid, Commit>();
  readonly #trees = new Map<Oid, Tree>();
  readonly #blobs = new Map<Oid, Uint8Array>();

  constructor(reader: CommitSource) {
    this.#reader = reader;
  }

  add(commit: Commit, objects: readonly (NewObject | NewTree)[]): void {
    this.#commits.set(commit.oid, commit);
    for (const object of objects) {
      if ("tree" in object) this.#trees.set(object.oid, object.tree);
      else if (object.type === "blob") this.#blobs.set(object.oid, object.content);
    }
  }

  /** Where branches are that are published. */
  readRef(name: string): Promise<Oid | null> {
    return this.#reader.readRef(name);
  }

  async readCommit(oid: Oid): Promise<Commit> {
    return this.#commits.get(oid) ?? (await this.#reader.readCommit(oid));
  }

  readonly readTree = (oid: Oid): Tree | Promise<Tree> => this.#trees.get(oid) ?? this.#reader.readTree(oid);

  async readBlob(oid: Oid): Promise<Uint8Array> {
    return this.#blobs.get(oid) ?? (await this.#reader.readBlob(oid));
  }

  async blobSize(oid: Oid): Promise<number | null> {
    return this.#blobs.get(oid)?.byteLength ?? (await this.#reader.blobSize(oid));
  }
}
