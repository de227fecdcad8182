// Decoded trees and commits, kept by oid as long as there is room. They never change, so nothing is ever stale. Each
// repository has its own: that one repository has an object must not make it readable through another.
import { LRUCache } from "lru-cache";
import type { Commit } from "../domain/commit.ts";
import type { Oid } from "../domain/oid.ts";
import type { Tree } from "../domain/tree.ts";

/** What an entry of a tree and a commit take in V8's heap, measured on trees of short names. */
const BYTES_PER_ENTRY = 220;
const BYTES_PER_COMMIT = 1_000;

type Cached = { readonly kind: "tree"; readonly tree: Tree } | { readonly kind: "commit"; readonly commit: Commit };

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

  /** Takes over what another cache holds. */
  absorb(other: ObjectCache): void {
    for (const [key, object] of other.#objects.entries()) this.#objects.set(key, object);
  }
}

function sizeOf(cached: Cached): number {
  return cached.kind === "tree"
    ? (cached.tree.length + 1) * BYTES_PER_ENTRY
    : BYTES_PER_COMMIT + cached.commit.message.length * 2;
}
