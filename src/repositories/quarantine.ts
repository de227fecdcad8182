// A bare directory of its own over a repository's view: objects are looked up here first and then there (alternates), and
// nothing is written there. Disposing removes it with whatever a failed or killed git left in it.
import { mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { deflateSync } from "node:zlib";
import { CoregitError } from "../domain/errors.ts";
import { decodeTree, objectId } from "../domain/object-codec.ts";
import { EMPTY_TREE, type Oid } from "../domain/oid.ts";
import type { Tree } from "../domain/tree.ts";
import { CatFile, type StoredObject } from "../git/cat-file.ts";
import { findMergeBase } from "../git/commit-graph.ts";
import { areConnected } from "../git/connectivity.ts";
import { type IndexedPack, indexPack } from "../git/index-pack.ts";
import { CommitLift } from "../git/lift-commit.ts";
import type { PackFiles } from "../git/pack-file.ts";
import type { ObjectPositions } from "../git/pack-index.ts";
import { writePack } from "../git/pack-writer.ts";
import type { PackedObjects } from "../git/small-pack.ts";
import { removeBareDirectory } from "./bare-directory.ts";
import { isKnownClosed, type PublishedReader } from "./known-closure.ts";
import { ObjectCache } from "./object-cache.ts";
import { prepareWritten } from "./prepare-pack.ts";
import { inspectPack, type OpenedPack, openReceived, type ReceivedPack } from "./received-pack.ts";
import { EarlySeal, type SealPlace, sealPack } from "./seal-received.ts";
import type { CheckedTips, NewObject, PreparedPack, Quarantine, ReceiveOptions } from "./store.ts";
import type { StoreOptions } from "./store-options.ts";
import type { ViewLease } from "./views.ts";

export type ShallowCommit = { readonly oid: Oid; readonly content: Uint8Array };

export type QuarantineContext = Pick<StoreOptions, "blobs" | "limits"> & {
  readonly repositoryId: string;
  /** A bare directory. */
  readonly folder: string;
  /** Held until the quarantine is gone. Who opens a quarantine need not wait for it. */
  readonly view: Promise<ViewLease>;
  readonly published: ObjectCache;
  /** Of published objects, also those that are not in the cache. */
  readonly reader: PublishedReader;
  /** Told where a sealed pack lies until the quarantine is disposed, and what was decoded of it. */
  onSealed(pack: PreparedPack, left: SealedPack): void;
};

/** What of a sealed pack spares work once it is published. */
export type SealedPack = { readonly files: PackFiles; readonly decoded: ObjectCache };

/** Takes over `context.folder` and `context.view`, also when it throws. */
export async function openQuarantine(context: QuarantineContext, shallow: ShallowCommit | null): Promise<Quarantine> {
  const quarantine = new QuarantineDirectory(context);
  try {
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
  readonly #received: { readonly pack: ReceivedPack; readonly early: EarlySeal | null }[] = [];
  readonly #added: NewObject[] = [];
  /** Apart from what is published, as long as this is not. */
  readonly #decoded: ObjectCache;
  /** Objects of the pack received last, when they are few and small. */
  #packed: PackedObjects = new Map();
  #reader: CatFile | null = null;
  /** Settled when published objects are found here too. */
  readonly #ready: Promise<void>;

  constructor(context: QuarantineContext) {
    this.#context = context;
    this.#ready = this.#buildOnView();
    // Whoever waits for it hears of a failure; nobody may.
    this.#ready.catch(() => undefined);
    this.#decoded = new ObjectCache(context.limits.objectCacheBytes);
  }

  async #buildOnView(): Promise<void> {
    const { folder, view } = this.#context;
    const objects = join((await view).directory, "objects");
    await writeFile(join(folder, "objects", "info", "alternates"), `${objects}\n`);
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
    options: ReceiveOptions,
    signal: AbortSignal,
  ): Promise<{ readonly bytes: number; readonly objects: number; readonly tips: CheckedTips }> {
    return await this.#explained(() => this.#receive(source, options, signal));
  }

  async #receive(source: AsyncIterable<Uint8Array>, options: ReceiveOptions, signal: AbortSignal) {
    const { shallowTips, tips } = options;
    await this.#markShallow(shallowTips);
    // Started now, so that it is there when the pack is. Of a push it is not known whether it will be needed.
    if (tips === undefined) this.#openReader();
    const { indexed, lifted } = await this.#index(source, shallowTips, signal);
    const pack = await openReceived(this.#context.folder, indexed, signal);
    this.#packed = pack.objects ?? new Map();
    // At once, and neither outlives this: what fails waits for the other.
    const [judged, checked] = await Promise.allSettled([
      this.#judge(pack, options, signal),
      this.#checkTips(tips, pack.isSelfContained ? pack.positions : null, signal),
    ]);
    if (judged.status === "rejected") throw judged.reason;
    if (checked.status === "rejected") throw checked.reason;
    return { bytes: indexed.bytes, objects: indexed.objects + lifted, tips: checked.value };
  }

  async #judge(opened: OpenedPack, { shallowTips, tips, sealEarly }: ReceiveOptions, signal: AbortSignal): Promise<void> {
    const { folder, limits } = this.#context;
    const source = tips === undefined ? "import" : "push";
    const early = sealEarly === true ? new EarlySeal(opened, this.#placeFor({ source, signal })) : null;
    try {
      const pack = await inspectPack(opened, {
        directory: folder,
        tips: shallowTips,
        readTree: this.readTree,
        readInfo: (oid) => this.#packed.get(oid) ?? this.#openReader().info(oid),
        readObject: (oid) => this.#packed.get(oid) ?? this.#openReader().read(oid),
        readCommitObject: (oid) => this.readCommitObject(oid),
        limits,
        signal,
      });
      this.#received.push({ pack, early });
    } catch (error) {
      await early?.discard();
      throw error;
    }
  }

  /** `lifted`: how many objects were taken out of the pack before git saw it. */
  async #index(
    source: AsyncIterable<Uint8Array>,
    [tip]: readonly Oid[],
    signal: AbortSignal,
  ): Promise<{ readonly indexed: IndexedPack; readonly lifted: number }> {
    const { folder, limits } = this.#context;
    const packLimits = { ...limits, memoryBytes: limits.gitMemoryBytes, isLinked: true, ready: this.#ready };
    if (tip === undefined) return { indexed: await indexPack(folder, source, packLimits, signal), lifted: 0 };
    const lift = new CommitLift(source, tip);
    const commitIndexed = lift.lifted.then(async (commit) => {
      if (commit === null) return 0;
      const { pack } = writePack([{ type: "commit", ...commit }]);
      await indexPack(folder, Readable.from([pack]), { ...packLimits, isLinked: false }, signal);
      return 1;
    });
    const [indexed, lifted] = await Promise.allSettled([indexPack(folder, lift, packLimits, signal), commitIndexed]);
    if (indexed.status === "rejected") throw indexed.reason;
    if (lifted.status === "rejected") throw lifted.reason;
    return { indexed: indexed.value, lifted: lifted.value };
  }

  readonly readTree = (oid: Oid): Tree | Promise<Tree> => {
    if (oid === EMPTY_TREE) return [];
    const { published, repositoryId } = this.#context;
    return this.#decoded.tree(repositoryId, oid) ?? published.tree(repositoryId, oid) ?? this.#readTree(oid);
  };

  /** `whole`: a pack that leads to nothing outside of it. */
  async #checkTips(tips: ReceiveOptions["tips"], whole: ObjectPositions | null, signal: AbortSignal): Promise<CheckedTips> {
    const { folder, limits } = this.#context;
    const { next, published } = tips ?? { next: [], published: new Set() };
    const found = await Promise.all(next.map((oid) => this.#packed.get(oid) ?? this.#openReader().info(oid)));
    const types = new Map(found.flatMap((object) => (object === null ? [] : [[object.oid, object.type]])));
    if (whole !== null && next.every((oid) => whole.has(oid))) return { types, areConnected: true };
    const isClosed = await isKnownClosed({ packed: this.#packed, tips: next, published }, this.#context.reader);
    if (isClosed) return { types, areConnected: true };
    const place = { gitDir: folder, memoryBytes: limits.gitMemoryBytes, signal };
    return { types, areConnected: await areConnected(place, { next: [...types.keys()], published }) };
  }

  async isAncestor(from: Oid, to: Oid, signal: AbortSignal): Promise<boolean> {
    const graph = { gitDir: this.#context.folder, memoryBytes: this.#context.limits.gitMemoryBytes, signal };
    await this.#ready;
    return (await this.#explained(() => findMergeBase(graph, from, to))) === from;
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
    const { folder } = this.#context;
    const destination = this.#placeFor({ source, signal });
    const sealed: PreparedPack[] = [];
    for (const { pack, early } of this.#received) {
      const prepared = await this.#explained(() => this.#sealReceived(pack, early, dropCommits, destination));
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
    for (const { pack, early } of this.#received) {
      await early?.discard();
      await pack.sizeJudged.catch(() => undefined);
    }
    await this.#reader?.[Symbol.asyncDispose]();
    const [view] = await Promise.allSettled([this.#context.view, this.#ready]);
    await removeBareDirectory(this.#context.folder);
    if (view.status === "fulfilled") view.value[Symbol.dispose]();
  }

  /** Null: nothing of the pack is kept. */
  async #sealReceived(
    pack: ReceivedPack,
    early: EarlySeal | null,
    dropCommits: boolean,
    place: SealPlace,
  ): Promise<PreparedPack | null> {
    await pack.sizeJudged;
    const dropped = dropCommits ? pack.history : new Set<Oid>();
    if (dropped.size === pack.oids.length) return null;
    const { prepared, files } = await (early !== null && dropped.size === 0 ? early.take() : sealPack(pack, dropped, place));
    this.#context.onSealed(prepared, { files, decoded: this.#decoded });
    return prepared;
  }

  #placeFor({ source, signal }: Pick<SealPlace, "source" | "signal">): SealPlace {
    const { repositoryId, blobs, limits, folder } = this.#context;
    const { inlinePackBytes, gitMemoryBytes: memoryBytes } = limits;
    return { repositoryId, blobs, inlinePackBytes, source, signal, folder, memoryBytes };
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
    const object = this.#packed.get(oid) ?? (await this.#explained(() => this.#readObject(oid)));
    if (object?.type !== type) throw new CoregitError("ObjectMissing", `There is no ${type} ${oid}.`, { details: { oid } });
    return object;
  }

  async #readObject(oid: Oid): Promise<StoredObject | null> {
    await this.#ready;
    return await this.#openReader().read(oid);
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
