// Proves that everything which a small pack leads to is here, without asking git: what is not in the pack is held, at the same
// path, by a tree of a published commit that the pack builds on. What published refs lead to is complete. Most pushes are so;
// of the others nothing is said.
import type { Commit } from "../domain/commit.ts";
import { CoregitError } from "../domain/errors.ts";
import { decodeCommit, decodeTag, decodeTree } from "../domain/object-codec.ts";
import { EMPTY_TREE, type Oid } from "../domain/oid.ts";
import type { Tree, TreeEntry } from "../domain/tree.ts";
import type { StoredObject } from "../git/cat-file.ts";
import type { PackedObjects } from "../git/small-pack.ts";

/** Reading more takes longer than to ask git. */
const MAX_TREES_READ = 200;

export type PublishedReader = {
  commit(oid: Oid): Promise<Commit>;
  tree(oid: Oid): Tree | Promise<Tree>;
};

export type PushedPack = {
  readonly packed: PackedObjects;
  /** Where refs are to point. */
  readonly tips: readonly Oid[];
  /** Where refs point. */
  readonly published: ReadonlySet<Oid>;
};

/** True: it is complete. False: git has to be asked. */
export async function isKnownClosed(pushed: PushedPack, reader: PublishedReader): Promise<boolean> {
  try {
    return await new KnownClosure(pushed, reader).holds();
  } catch (error) {
    if (error instanceof CoregitError && (error.code === "ObjectMissing" || error.code === "ObjectInvalid")) return false;
    throw error;
  }
}

/** Trees at one path: those of the pack, and published ones. */
type Level = { readonly pushed: ReadonlySet<Oid>; readonly published: ReadonlySet<Oid> };

class KnownClosure {
  readonly #pushed: PushedPack;
  readonly #reader: PublishedReader;
  readonly #trees = new Map<Oid, Tree>();
  /** Objects that published refs lead to. */
  readonly #known = new Set<Oid>([EMPTY_TREE]);
  #read = 0;

  constructor(pushed: PushedPack, reader: PublishedReader) {
    this.#pushed = pushed;
    this.#reader = reader;
  }

  async holds(): Promise<boolean> {
    const { packed, tips, published } = this.#pushed;
    if (!tips.every((oid) => packed.has(oid) || published.has(oid))) return false;
    const objects = [...packed.values()];
    for (const { oid, type, content } of objects) if (type === "tree") this.#trees.set(oid, decodeTree(content));
    const commits = objects.filter(({ type }) => type === "commit").map(({ oid, content }) => decodeCommit(oid, content));
    const parents = new Set(commits.flatMap((commit) => commit.parents).filter((oid) => published.has(oid)));
    const bases = await Promise.all([...parents].map((oid) => this.#reader.commit(oid)));
    const rootsOf = (of: readonly Commit[]) => new Set(of.map(({ tree }) => tree));
    for (const { tree } of bases) this.#known.add(tree);
    await this.#learn({ pushed: rootsOf(commits), published: rootsOf(bases) });
    return objects.every((object) => linksOf(object, this.#trees).every((oid) => this.#isHere(oid)));
  }

  #isHere(oid: Oid): boolean {
    const { packed, published } = this.#pushed;
    return packed.has(oid) || this.#known.has(oid) || published.has(oid);
  }

  /** Until there is too much of it: takes in what the published trees hold, here and below, wherever the pack has a tree at the same path. */
  async #learn({ pushed, published }: Level): Promise<void> {
    const fresh = [...pushed].flatMap((oid) => this.#trees.get(oid) ?? []);
    if (fresh.length === 0 || published.size === 0) return;
    this.#read += published.size;
    if (this.#read > MAX_TREES_READ) return;
    const known = (await Promise.all([...published].map((oid) => this.#reader.tree(oid)))).flat();
    for (const { oid, mode } of known) if (mode !== "160000") this.#known.add(oid);
    const folders = foldersByName(known);
    for (const [name, oids] of foldersByName(fresh.filter(({ oid }) => this.#trees.has(oid)))) {
      await this.#learn({ pushed: oids, published: folders.get(name) ?? new Set() });
    }
  }
}

function foldersByName(entries: readonly TreeEntry[]): ReadonlyMap<string, Set<Oid>> {
  const folders = new Map<string, Set<Oid>>();
  for (const { name, mode, oid } of entries) {
    if (mode !== "40000") continue;
    const others = folders.get(name);
    if (others === undefined) folders.set(name, new Set([oid]));
    else others.add(oid);
  }
  return folders;
}

/** What has to be there for an object to be whole. A submodule's commit is of another repository. */
function linksOf({ oid, type, content }: StoredObject, trees: ReadonlyMap<Oid, Tree>): readonly Oid[] {
  if (type === "tree") return (trees.get(oid) ?? []).filter(({ mode }) => mode !== "160000").map((entry) => entry.oid);
  if (type === "tag") return [decodeTag(oid, content).target];
  if (type === "blob") return [];
  const { tree, parents } = decodeCommit(oid, content);
  return [tree, ...parents];
}
