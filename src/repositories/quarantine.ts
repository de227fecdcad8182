// A bare directory of its own over a repository's view: objects are looked up here first and then there (alternates), and
// nothing is written there. Disposing removes it with whatever a failed or killed git left in it.
import { mkdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { CoregitError } from "../domain/errors.ts";
import { decodeTree, objectId } from "../domain/object-codec.ts";
import { EMPTY_TREE, type Oid } from "../domain/oid.ts";
import type { Tree } from "../domain/tree.ts";
import { CatFile, type StoredObject } from "../git/cat-file.ts";
import { areConnected } from "../git/connectivity.ts";
import { cutPack, type PackFiles } from "../git/cut-pack.ts";
import { indexPack } from "../git/index-pack.ts";
import { writePack } from "../git/pack-writer.ts";
import { makeBareDirectory } from "./bare-directory.ts";
import { ObjectCache } from "./object-cache.ts";
import { type PackDestination, preparePack, prepareWritten } from "./prepare-pack.ts";
import { inspectPack, type ReceivedPack } from "./received-pack.ts";
import type { CheckedTips, NewObject, PreparedPack, Quarantine, ReceiveOptions } from "./store.ts";
import type { StoreOptions } from "./store-options.ts";
import type { ViewLease } from "./views.ts";

export type ShallowCommit = { readonly oid: Oid; readonly content: Uint8Array };

export type QuarantineContext = Pick<StoreOptions, "blobs" | "limits"> & {
  readonly repositoryId: string;
  readonly folder: string;
  /** Held until the quarantine is gone. */
  readonly view: ViewLease;
  readonly published: ObjectCache;
  /** Told where a sealed pack lies until the quarantine is disposed, and what was decoded of it. */
  onSealed(pack: PreparedPack, left: SealedPack): void;
};

/** What of a sealed pack spares work once it is published. */
export type SealedPack = { readonly files: PackFiles; readonly decoded: ObjectCache };

/** Takes over `context.folder` and `context.view`, also when it throws. */
export async function openQuarantine(context: QuarantineContext, shallow: ShallowCommit | null): Promise<Quarantine> {
  const quarantine = new QuarantineDirectory(context);
  try {
    await makeBareDirectory(context.folder);
    await writeFile(join(context.folder, "objects", "info", "alternates"), `${join(context.view.directory, "objects")}\n`);
    if (shallow !== null) await quarantine.addShallow(shallow);
    return quarantine;
  } catch (error) {
    await quarantine[Symbol.asyncDispose]();
    throw error;
  }
}

class QuarantineDirectory implements Quarantine {
  readonly #context: QuarantineContext;
  readonly #shallow = new Set<Oid>();
  readonly #received: ReceivedPack[] = [];
  readonly #added: NewObject[] = [];
  /** Apart from what is published, as long as this is not. */
  readonly #decoded: ObjectCache;
  #reader: CatFile | null = null;

  constructor(context: QuarantineContext) {
    this.#context = context;
    this.#decoded = new ObjectCache(context.limits.objectCacheBytes);
  }

  async addShallow({ oid, content }: ShallowCommit): Promise<void> {
    if (objectId("commit", content) !== oid)
      throw new CoregitError("StorageCorrupt", `The kept commit ${oid} is not what its name says.`);
    const folder = join(this.#context.folder, "objects", oid.slice(0, 2));
    const object = Buffer.concat([Buffer.from(`commit ${content.byteLength}\0`), content]);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, oid.slice(2)), deflateSync(object));
    await this.#markShallow([oid]);
  }

  async receivePack(
    source: AsyncIterable<Uint8Array>,
    { shallowTips }: ReceiveOptions,
    signal: AbortSignal,
  ): Promise<{ readonly bytes: number; readonly objects: number }> {
    return await this.#explained(() => this.#receive(source, shallowTips, signal));
  }

  async #receive(source: AsyncIterable<Uint8Array>, shallowTips: readonly Oid[], signal: AbortSignal) {
    const { folder, limits } = this.#context;
    await this.#markShallow(shallowTips);
    // Started now, so that it is there when the pack is.
    this.#openReader();
    const packLimits = { ...limits, memoryBytes: limits.gitMemoryBytes };
    const { name, bytes, objects } = await indexPack(folder, source, packLimits, signal);
    const pack = await inspectPack(name, {
      directory: folder,
      tips: shallowTips,
      readTree: this.readTree,
      readCommitObject: (oid) => this.readCommitObject(oid),
      limits,
      signal,
    });
    this.#received.push(pack);
    return { bytes, objects };
  }

  readonly readTree = (oid: Oid): Tree | Promise<Tree> => {
    if (oid === EMPTY_TREE) return [];
    const { published, repositoryId } = this.#context;
    return this.#decoded.tree(repositoryId, oid) ?? published.tree(repositoryId, oid) ?? this.#readTree(oid);
  };

  async checkTips(tips: readonly Oid[], signal: AbortSignal): Promise<CheckedTips> {
    const { folder, limits } = this.#context;
    const found = await this.#explained(() => Promise.all(tips.map((oid) => this.#openReader().info(oid))));
    const types = new Map(found.flatMap((object) => (object === null ? [] : [[object.oid, object.type]])));
    const place = { gitDir: folder, memoryBytes: limits.gitMemoryBytes, signal };
    return { types, areConnected: await this.#explained(() => areConnected(place, [...types.keys()])) };
  }

  async readCommitObject(oid: Oid): Promise<Uint8Array> {
    return (await this.#read("commit", oid)).content;
  }

  addObjects(objects: readonly NewObject[]): void {
    this.#added.push(...objects);
  }

  async seal(
    { source, dropCommits }: { readonly source: "import" | "push"; readonly dropCommits: boolean },
    signal: AbortSignal,
  ): Promise<PreparedPack[]> {
    const { repositoryId, blobs, limits, folder } = this.#context;
    const destination = { repositoryId, blobs, inlinePackBytes: limits.inlinePackBytes, source, signal };
    const sealed: PreparedPack[] = [];
    for (const pack of this.#received) {
      const prepared = await this.#explained(() => this.#sealReceived(pack, dropCommits, destination));
      if (prepared !== null) sealed.push(prepared);
    }
    if (this.#added.length > 0) {
      const { prepared, files } = await prepareWritten(writePack(this.#added), folder, destination);
      this.#context.onSealed(prepared, { files, decoded: this.#decoded });
      sealed.push(prepared);
    }
    return sealed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader?.[Symbol.asyncDispose]();
    await rm(this.#context.folder, { recursive: true, force: true });
    this.#context.view[Symbol.dispose]();
  }

  /** Null: nothing of the pack is kept. */
  async #sealReceived(pack: ReceivedPack, dropCommits: boolean, destination: PackDestination): Promise<PreparedPack | null> {
    const { folder, limits } = this.#context;
    const isKept = (oid: Oid) => !dropCommits || pack.types.get(oid) === "blob" || pack.types.get(oid) === "tree";
    const kept = new Set(pack.entries.map(({ oid }) => oid).filter(isKept));
    if (kept.size === 0) return null;
    const options = { gitDir: folder, folder, memoryBytes: limits.gitMemoryBytes, signal: destination.signal };
    const bytes = await cutPack(pack.files, pack.entries, kept, options);
    const prepared = await preparePack(bytes, kept.size, destination);
    this.#context.onSealed(prepared, { files: bytes.files, decoded: this.#decoded });
    return prepared;
  }

  /** Commits whose parents are not here. git reads the file when it starts, so readers from before are let go. */
  async #markShallow(oids: readonly Oid[]): Promise<void> {
    for (const oid of oids) this.#shallow.add(oid);
    if (this.#shallow.size > 0)
      await writeFile(join(this.#context.folder, "shallow"), [...this.#shallow].map((oid) => `${oid}\n`).join(""));
  }

  async #readTree(oid: Oid): Promise<Tree> {
    const tree = decodeTree((await this.#read("tree", oid)).content);
    this.#decoded.setTree(this.#context.repositoryId, oid, tree);
    return tree;
  }

  async #read(type: "tree" | "commit", oid: Oid): Promise<StoredObject> {
    const object = await this.#explained(() => this.#openReader().read(oid));
    if (object?.type !== type) throw new CoregitError("ObjectMissing", `There is no ${type} ${oid}.`, { details: { oid } });
    return object;
  }

  /** Whatever fails once the cache has been deleted under us fails for that reason. */
  async #explained<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      const isThere = await stat(this.#context.folder).then(
        () => true,
        () => false,
      );
      if (isThere) throw cause;
      throw new CoregitError("CacheLost", "The local cache was deleted while it was in use.", { cause });
    }
  }

  #openReader(): CatFile {
    this.#reader ??= new CatFile(this.#context.folder, { memoryBytes: this.#context.limits.gitMemoryBytes });
    return this.#reader;
  }
}
