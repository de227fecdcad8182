// Decoded trees, commits and small blobs, kept by oid as long as there is room. They never change, so nothing is ever stale. Each
// repository has its own: that one repository has an object must not make it readable through another.
import { LRUCache } from "lru-cache";
import type { Commit } from "../domain/commit.ts";
import type { NewObject } from "../domain/object-codec.ts";
import type { Oid } from "../domain/oid.ts";
import type { Tree } from "../domain/tree.ts";
import type { NewTree } from "../domain/tree-edit.ts";

/** What an entry of a tree and a commit take in V8's heap, measured on trees of short names. */
const BYTES_PER_ENTRY = 220;
const BYTES_PER_COMMIT = 1_000;
const BYTES_PER_SIZE = 8;
const BYTES_PER_BLOB = 200;
/** Larger blobs would push out what every request needs. */
const MAX_BLOB_BYTES = 64 * 1024;

/** Of the blobs among a tree's first entries, by position; null for what is no blob. */
export type BlobSizes = readonly (number | null)[];

type Cached =
  | { readonly kind: "tree"; readonly tree: Tree }
  | { readonly kind: "commit"; readonly commit: Commit }
  | { readonly kind: "blob"; readonly content: Uint8Array }
  | { readonly kind: "sizes"; readonly sizes: BlobSizes };

export class ObjectCache {
  readonly #objects: LRUCache<string, Cached>;

  constructor(maxBytes: number) {
    this.#objects = new LRUCache({ maxSize: maxBytes, sizeCalculation: sizeOf });
  }

  tree(repositoryId: string, oid: Oid): Tree | null {
    const cached = this.#objects.get(`${repositoryId}/${oid}`);
    return cached?.kind === "tree" ? cached.tree : null;
  }

  commit(repositoryId: string, oid: Oid): Commit | null {
    const cached = this.#objects.get(`${repositoryId}/${oid}`);
    return cached?.kind === "commit" ? cached.commit : null;
  }

  setTree(repositoryId: string, oid: Oid, tree: Tree): void {
    this.#objects.set(`${repositoryId}/${oid}`, { kind: "tree", tree });
  }

  setCommit(repositoryId: string, commit: Commit): void {
    this.#objects.set(`${repositoryId}/${commit.oid}`, { kind: "commit", commit });
  }

  blob(repositoryId: string, oid: Oid): Uint8Array | null {
    const cached = this.#objects.get(`${repositoryId}/${oid}`);
    return cached?.kind === "blob" ? cached.content : null;
  }

  /** Keeps it if it is small, as a copy: `content` may be a part of something large. */
  setBlob(repositoryId: string, oid: Oid, content: Uint8Array): void {
    if (content.byteLength > MAX_BLOB_BYTES) return;
    this.#objects.set(`${repositoryId}/${oid}`, { kind: "blob", content: new Uint8Array(content) });
  }

  /** Takes over trees and blobs that were made in process. */
  setObjects(repositoryId: string, objects: readonly (NewObject | NewTree)[]): void {
    for (const object of objects) {
      if ("tree" in object) this.setTree(repositoryId, object.oid, object.tree);
      else if (object.type === "blob") this.setBlob(repositoryId, object.oid, object.content);
    }
  }

  /** Sizes of what a tree's first entries name, as many as have been set. */
  sizes(repositoryId: string, tree: Oid): BlobSizes {
    const cached = this.#objects.get(`${repositoryId}/${tree}/sizes`);
    return cached?.kind === "sizes" ? cached.sizes : [];
  }

  setSizes(repositoryId: string, tree: Oid, sizes: BlobSizes): void {
    this.#objects.set(`${repositoryId}/${tree}/sizes`, { kind: "sizes", sizes });
  }

  /** Takes over what another cache holds. */
  absorb(other: ObjectCache): void {
    for (const [key, object] of other.#objects.entries()) this.#objects.set(key, object);
  }
}

function sizeOf(cached: Cached): number {
  switch (cached.kind) {
    case "tree":
      return (cached.tree.length + 1) * BYTES_PER_ENTRY;
    case "commit":
      return BYTES_PER_COMMIT + cached.commit.message.length * 2;
    case "blob":
      return BYTES_PER_BLOB + cached.content.byteLength;
    case "sizes":
      return BYTES_PER_ENTRY + cached.sizes.length * BYTES_PER_SIZE;
  }
}
