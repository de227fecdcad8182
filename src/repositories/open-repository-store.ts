// The git store put together: database, blob store and local cache behind the one port.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Transaction } from "../db/database.ts";
import { deleteRepository, findRepository, getRepository, type RepositoryRow } from "../db/repositories.ts";
import type { NewObject } from "../domain/object-codec.ts";
import type { Oid } from "../domain/oid.ts";
import { gitVersion } from "../git/git-version.ts";
import { writePack } from "../git/pack-writer.ts";
import { makeBareDirectory } from "./bare-directory.ts";
import type { CommitRequest, CommitResult } from "./commit-request.ts";
import { CommitWriter, type PublishInTurn } from "./commit-writer.ts";
import { type Comparisons, createComparisons } from "./comparisons.ts";
import { createRepository } from "./create-repository.ts";
import { ObjectCache } from "./object-cache.ts";
import { type OutgoingObjects, outgoingPack } from "./outgoing-pack.ts";
import { PackPublisher } from "./pack-publisher.ts";
import { prepareInline } from "./prepare-pack.ts";
import { ProcessDirectory } from "./process-directory.ts";
import { publish, publishInTurn } from "./publish.ts";
import { PublishedObjects } from "./published-objects.ts";
import { openQuarantine, type SealedPack, type ShallowCommit } from "./quarantine.ts";
import { StoredRepository } from "./repository-reader.ts";
import type {
  FirstCommit,
  PreparedPack,
  Publication,
  Quarantine,
  Repository,
  RepositoryReader,
  RepositoryStore,
} from "./store.ts";
import type { StoreOptions } from "./store-options.ts";
import { beginWork } from "./upkeep/breaks.ts";
import { compact } from "./upkeep/compact.ts";
import { ViewCache, type ViewLease } from "./views.ts";

/** A store with views that can be held open, for those who serve them. */
export interface LocalRepositoryStore extends RepositoryStore {
  /** The view of `RepositoryStore.view`, which is not evicted before the lease is disposed. */
  leaseView(repository: Repository): Promise<ViewLease>;
  /**
   * Joins small packs of the repository so that their number stays about the logarithm of its objects. Concurrent with
   * everything; safe to repeat, to race and to kill. Resolves to how many packs were replaced, 0: nothing had to be, or
   * another process does it. @throws CoregitError `StorageCorrupt`, `ObjectMissing`, `Internal`, `Timeout`.
   */
  compact(repositoryId: string, signal: AbortSignal): Promise<number>;
  /** Takes replaced packs that nobody can need any more out of the local views. Resolves to how many. */
  trimViews(signal: AbortSignal): Promise<number>;
}

/**
 * Opens the store and removes what processes that are gone left in the cache.
 * @throws CoregitError `Internal` when there is no git on this machine, or one that is too old.
 */
export async function openRepositoryStore(options: StoreOptions): Promise<LocalRepositoryStore> {
  await gitVersion();
  const work = await ProcessDirectory.open(join(options.cacheDir, "quarantine"), options.clock);
  return new CachedRepositoryStore(options, work);
}

class CachedRepositoryStore implements LocalRepositoryStore {
  readonly #options: StoreOptions;
  readonly #work: ProcessDirectory;
  readonly #views: ViewCache;
  readonly #objects: PublishedObjects;
  readonly #comparisonsOf: (repositoryId: string) => Comparisons;
  readonly #commits: CommitWriter;
  readonly #packs: PackPublisher;
  /** Repositories in which a commit has its turn, and when that is over. */
  readonly #turns = new Map<string, Promise<void>>();
  readonly #sealed = new WeakMap<PreparedPack, SealedPack>();

  constructor(options: StoreOptions, work: ProcessDirectory) {
    this.#options = options;
    this.#work = work;
    this.#views = new ViewCache(options, work);
    this.#objects = new PublishedObjects(this.#views, new ObjectCache(options.limits.objectCacheBytes));
    this.#comparisonsOf = createComparisons(this.#views);
    this.#packs = new PackPublisher(options.database);
    const inTurn: PublishInTurn = (repositoryId, make) => this.#publishInTurn(repositoryId, make);
    this.#commits = new CommitWriter({ ...options, store: this, publishInTurn: inTurn, cache: this.#objects.cache });
  }

  async find(namespace: string, slug: string): Promise<Repository | null> {
    return toRepository(await findRepository(this.#options.database, namespace, slug));
  }

  async get(id: string): Promise<Repository | null> {
    return toRepository(await getRepository(this.#options.database, id));
  }

  create(repository: Omit<Repository, "id">, first: FirstCommit | null): Promise<Repository> {
    const packs = first === null ? [] : [this.buildPack(first.objects, "commit")];
    return createRepository(this.#options.database, repository, first && { ...first, packs });
  }

  reader(repository: Repository): RepositoryReader {
    const comparisons = this.#comparisonsOf(repository.id);
    return new StoredRepository(repository, { database: this.#options.database, objects: this.#objects, comparisons });
  }

  async quarantine(repository: Repository, shallow?: ShallowCommit): Promise<Quarantine> {
    const { blobs, limits } = this.#options;
    const context = {
      ...(await this.#openPlace(repository)),
      blobs,
      limits,
      repositoryId: repository.id,
      published: this.#objects.cache,
      reader: {
        commit: (oid: Oid) => this.#objects.commit(repository.id, oid),
        tree: (oid: Oid) => this.#objects.tree(repository.id, oid),
      },
      onSealed: (pack: PreparedPack, left: SealedPack) => this.#sealed.set(pack, left),
    };
    return await openQuarantine(context, shallow ?? null);
  }

  buildPack(objects: readonly NewObject[], source: PreparedPack["source"]): PreparedPack {
    return prepareInline(writePack(objects), source);
  }

  commit(name: Pick<Repository, "namespace" | "slug">, request: CommitRequest, signal: AbortSignal): Promise<CommitResult> {
    return this.#commits.commit(name, request, signal);
  }

  async publish(given: Publication, also?: (tx: Transaction) => Promise<void>): Promise<void> {
    const publication = this.#traced(given);
    // It would wait in the database, with a connection that the turn may need to read by.
    await this.#turns.get(publication.repositoryId);
    await publish({ database: this.#options.database, packs: this.#packs }, publication, also ?? null);
    for (const pack of publication.packs) await this.#keepLocally(publication.repositoryId, pack);
  }

  async #publishInTurn(repositoryId: string, make: Parameters<PublishInTurn>[1]): Promise<void> {
    const turn = Promise.withResolvers<void>();
    this.#turns.set(repositoryId, turn.promise);
    try {
      const { database } = this.#options;
      const { packs } = await publishInTurn(database, repositoryId, async (readRef) => this.#traced(await make(readRef)));
      for (const pack of packs) await this.#keepLocally(repositoryId, pack);
    } finally {
      this.#turns.delete(repositoryId);
      turn.resolve();
    }
  }

  #traced(publication: Publication): Publication {
    return { traceparent: this.#options.tracer?.current()?.traceparent ?? null, ...publication };
  }

  outgoingPack({ id }: Repository, objects: OutgoingObjects, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const { gitMemoryBytes: memoryBytes } = this.#options.limits;
    const place = { repositoryId: id, objects: this.#objects, leaseView: () => this.#views.lease(id), memoryBytes };
    return outgoingPack(place, objects, signal);
  }

  view(repository: Repository): Promise<string> {
    return this.#views.current(repository.id);
  }

  leaseView(repository: Repository): Promise<ViewLease> {
    return this.#views.lease(repository.id);
  }

  async compact(repositoryId: string, signal: AbortSignal): Promise<number> {
    const folder = this.#work.newFolder();
    const takeBreak = beginWork(this.#options.clock);
    try {
      const compaction = await compact({ ...this.#options, repositoryId, folder, signal, takeBreak });
      if (compaction === null) return 0;
      const { pack, files, replacedPacks } = compaction;
      await this.#locally(pack, async () => {
        await this.#views.adopt(repositoryId, pack.name, files);
        await this.#views.follow(repositoryId);
      });
      await takeBreak(signal);
      return replacedPacks;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async trimViews(signal: AbortSignal): Promise<number> {
    const dropped = await this.#views.trim(signal);
    // A lasting git would keep what it has open of the packs that are gone, and look into them for ever.
    for (const id of dropped.keys()) this.#objects.forget(id);
    return dropped.values().reduce((sum, count) => sum + count, 0);
  }

  async remove(id: string): Promise<void> {
    await deleteRepository(this.#options.database, id);
    this.#objects.forget(id);
    await this.#views.discard(id);
    for await (const { key } of this.#options.blobs.list(`${id}/`)) await this.#options.blobs.delete(key);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#objects[Symbol.asyncDispose]();
    await this.#work[Symbol.asyncDispose]();
  }

  /** A bare directory, and what it is to build on as soon as that is there. */
  async #openPlace({ id }: Repository): Promise<{ readonly folder: string; readonly view: Promise<ViewLease> }> {
    const folder = this.#work.newFolder();
    const view = this.#views.leasePacks(id);
    // Whoever builds on it hears of a failure.
    view.catch(() => undefined);
    try {
      await makeBareDirectory(folder);
      return { folder, view };
    } catch (error) {
      const [leased] = await Promise.allSettled([view, rm(folder, { recursive: true, force: true })]);
      if (leased.status === "fulfilled") leased.value[Symbol.dispose]();
      throw error;
    }
  }

  /** Spares the way through the blob store. */
  async #keepLocally(repositoryId: string, pack: PreparedPack): Promise<void> {
    const sealed = this.#sealed.get(pack);
    if (sealed === undefined) return;
    this.#objects.cache.absorb(sealed.decoded);
    await this.#locally(pack, () => this.#views.adopt(repositoryId, pack.name, sealed.files));
  }

  /** The pack is published: whatever goes wrong with its way into the view costs speed only. */
  async #locally(pack: PreparedPack, work: () => Promise<unknown>): Promise<void> {
    await work().catch((error: unknown) => {
      this.#options.logger.warn({ err: error, pack: pack.id }, "A published pack could not be put into the local view.");
    });
  }
}

function toRepository(row: RepositoryRow | null): Repository | null {
  if (row === null) return null;
  const { default_branch: defaultBranch, protected_branches: protectedBranches, ...repository } = row;
  return { ...repository, defaultBranch, protectedBranches };
}
