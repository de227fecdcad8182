// The git store put together: database, blob store and local cache behind the one port.
import { join } from "node:path";
import type { Transaction } from "../db/database.ts";
import { deleteRepository, findRepository, getRepository, type RepositoryRow } from "../db/repositories.ts";
import type { NewObject } from "../domain/object-codec.ts";
import { writePack } from "../git/pack-writer.ts";
import type { CommitRequest, CommitResult } from "./commit-request.ts";
import { CommitWriter } from "./commit-writer.ts";
import { type Comparisons, createComparisons } from "./comparisons.ts";
import { createRepository } from "./create-repository.ts";
import { ObjectCache } from "./object-cache.ts";
import { prepareInline } from "./prepare-pack.ts";
import { ProcessDirectory } from "./process-directory.ts";
import { publish } from "./publish.ts";
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
import { ViewCache, type ViewLease } from "./views.ts";

/** A store with views that can be held open, for those who serve them. */
export interface LocalRepositoryStore extends RepositoryStore {
  /** The view of `RepositoryStore.view`, which is not evicted before the lease is disposed. */
  leaseView(repository: Repository): Promise<ViewLease>;
}

/** Opens the store and removes what processes that are gone left in the cache. */
export async function openRepositoryStore(options: StoreOptions): Promise<LocalRepositoryStore> {
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
  readonly #sealed = new WeakMap<PreparedPack, SealedPack>();

  constructor(options: StoreOptions, work: ProcessDirectory) {
    this.#options = options;
    this.#work = work;
    this.#views = new ViewCache(options, work);
    this.#objects = new PublishedObjects(this.#views, new ObjectCache(options.limits.objectCacheBytes));
    this.#comparisonsOf = createComparisons(this.#views);
    this.#commits = new CommitWriter({ ...options, store: this, cache: this.#objects.cache });
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
    const view = await this.leaseView(repository);
    const context = {
      blobs,
      limits,
      repositoryId: repository.id,
      folder: this.#work.newFolder(),
      view,
      published: this.#objects.cache,
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

  async publish(publication: Publication, also?: (tx: Transaction) => Promise<void>): Promise<void> {
    await publish(this.#options.database, publication, also ?? null);
    for (const pack of publication.packs) await this.#keepLocally(publication.repositoryId, pack);
  }

  view(repository: Repository): Promise<string> {
    return this.#views.current(repository.id);
  }

  leaseView(repository: Repository): Promise<ViewLease> {
    return this.#views.lease(repository.id);
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

  /** Spares the way through the blob store. The pack is published: whatever goes wrong here costs speed only. */
  async #keepLocally(repositoryId: string, pack: PreparedPack): Promise<void> {
    const sealed = this.#sealed.get(pack);
    if (sealed === undefined) return;
    this.#objects.cache.absorb(sealed.decoded);
    await this.#views.adopt(repositoryId, pack.name, sealed.files).catch((error: unknown) => {
      this.#options.logger.warn({ err: error, pack: pack.id }, "A published pack could not be put into the local view.");
    });
  }
}

function toRepository(row: RepositoryRow | null): Repository | null {
  if (row === null) return null;
  const { default_branch: defaultBranch, ...repository } = row;
  return { ...repository, defaultBranch };
}
