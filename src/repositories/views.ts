// Local views: for each repository a bare directory that native git opens, made of published packs and a snapshot of the
// refs. A view is a cache. Any file of it may vanish at any instant, and several processes may share the folder:
//   1. the version, the refs and the list of packs are read in this order, so that the refs are at least as new as the
//      version and no ref leads outside the packs;
//   2. the packs are filled in, each checked by hash and renamed into place (their names are their content, so racing is
//      harmless), however many are published meanwhile;
//   3. only then, and under a lock in the database, do the refs replace older ones.
// A view serves a call when its refs are at least as new as the repository's version at the time of the call. Packs that
// compaction has replaced stay in it until nobody who opened it before can need them.
import { mkdir, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { Transaction } from "../db/database.ts";
import { type LivePack, listLivePacks } from "../db/packs.ts";
import { lockViews, type RepositoryState, readRepositoryState } from "../db/repositories.ts";
import { CoregitError } from "../domain/errors.ts";
import type { PackFiles } from "../git/pack-file.ts";
import { makeBareDirectory, readRefsVersion, writeHead, writeRefs } from "./bare-directory.ts";
import { noCacheMetrics } from "./cache-metrics.ts";
import { CacheRoom } from "./cache-room.ts";
import { fillPacks, placePack } from "./pack-fill.ts";
import { findPlaced, hasSizes, listPlaced } from "./placed-packs.ts";
import type { ProcessDirectory } from "./process-directory.ts";
import type { StoreOptions } from "./store-options.ts";
import { readSnapshot, type ViewSnapshot } from "./view-snapshot.ts";
import { dropReplacedPacks } from "./view-trim.ts";

const MAX_ATTEMPTS = 5;
/** How exact the last use of a view is for other processes. */
const TOUCH_INTERVAL_MS = 60_000;

/** What this process last wrote into a view, and the packs on disk that it needs for it. */
type Known = RepositoryState & { readonly packs: readonly string[] };

/** Of a view without packs and refs: older than any version. */
const NOTHING_YET: Known = { version: -1n, defaultBranch: "", packs: [] };

type ViewOptions = Pick<StoreOptions, "database" | "blobs" | "cacheDir" | "cacheMaxBytes" | "logger" | "clock" | "metrics">;

/** A view that is not evicted until it is let go. */
export type ViewLease = Disposable & { readonly directory: string };

export class ViewCache {
  readonly #options: ViewOptions;
  readonly #work: ProcessDirectory;
  readonly #viewsDir: string;
  readonly #known = new Map<string, Known>();
  readonly #refreshing = new Map<string, Promise<void>>();
  readonly #leases = new Map<string, number>();
  /** Views that were seen to have more packs than they need. */
  readonly #overfull = new Set<string>();
  readonly #room: CacheRoom;
  readonly #lastUsed = new Map<string, { readonly atMs: number; readonly touchedMs: number }>();

  constructor(options: ViewOptions, work: ProcessDirectory) {
    this.#options = options;
    this.#work = work;
    this.#viewsDir = join(options.cacheDir, "views");
    this.#room = new CacheRoom(
      { ...options, viewsDir: this.#viewsDir, metrics: options.metrics ?? noCacheMetrics },
      {
        isInUse: (id) => this.#leases.has(id) || this.#refreshing.has(id),
        lastUsedMs: (id) => this.#lastUsed.get(id)?.atMs ?? null,
        discard: (id) => this.discard(id),
      },
    );
  }

  /**
   * The directory of a view that holds at least everything published before the call.
   * @throws CoregitError `RepositoryNotFound`, `StorageCorrupt`, `ObjectMissing`.
   */
  async current(repositoryId: string): Promise<string> {
    const state = await readRepositoryState(this.#options.database, repositoryId);
    if (state === null) throw new CoregitError("RepositoryNotFound", "There is no such repository.");
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      if (await this.#isCurrent(repositoryId, state)) {
        await this.#touch(repositoryId);
        return this.#directory(repositoryId);
      }
      await this.#refresh(repositoryId);
    }
    throw new CoregitError("ObjectMissing", "The local view of the repository keeps vanishing while it is being built.");
  }

  async lease(repositoryId: string): Promise<ViewLease> {
    return await this.#lease(repositoryId, () => this.current(repositoryId));
  }

  /** The same of a view that holds all packs published before the call; its refs may be older. */
  async leasePacks(repositoryId: string): Promise<ViewLease> {
    return await this.#lease(repositoryId, async () => {
      if (!(await this.#hasPacks(repositoryId))) return await this.current(repositoryId);
      await this.#touch(repositoryId);
      return this.#directory(repositoryId);
    });
  }

  async #lease(repositoryId: string, find: () => Promise<string>): Promise<ViewLease> {
    this.#leases.set(repositoryId, (this.#leases.get(repositoryId) ?? 0) + 1);
    const release = () => {
      const left = (this.#leases.get(repositoryId) ?? 1) - 1;
      if (left === 0) this.#leases.delete(repositoryId);
      else this.#leases.set(repositoryId, left);
    };
    try {
      return { directory: await find(), [Symbol.dispose]: release };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Puts a pack that this process just published into its view, if there is one, so that it need not be fetched. */
  async adopt(repositoryId: string, name: string, files: PackFiles): Promise<void> {
    if (!this.#known.has(repositoryId)) return;
    const sizes = await Promise.all([stat(files.pack), stat(files.idx)]);
    await placePack(this.#directory(repositoryId), name, files).catch(passOverVanished);
    this.#room.add(sizes.reduce((sum, { size }) => sum + size, 0));
  }

  /** Brings a view up to date if there is one here, before somebody waits for it. */
  async follow(repositoryId: string): Promise<void> {
    if (this.#known.has(repositoryId)) await this.current(repositoryId);
  }

  /** Lets go of replaced packs that nobody can need. Gives how many left which repository's view. */
  async trim(signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
    const dropped = new Map<string, number>();
    await this.#room.keep();
    for (const repositoryId of [...this.#overfull]) {
      signal.throwIfAborted();
      const count = await this.#trim(repositoryId);
      if (count > 0) dropped.set(repositoryId, count);
    }
    return dropped;
  }

  /** Removes a view. The next call builds it again. */
  async discard(repositoryId: string): Promise<void> {
    this.#known.delete(repositoryId);
    this.#overfull.delete(repositoryId);
    this.#lastUsed.delete(repositoryId);
    const grave = this.#work.newFolder();
    await mkdir(this.#work.path, { recursive: true });
    await rename(this.#directory(repositoryId), grave).catch(passOverVanished);
    await rm(grave, { recursive: true, force: true });
  }

  #directory(repositoryId: string): string {
    if (!/^[\w-]+$/.test(repositoryId)) throw new CoregitError("Internal", "A repository id is not fit for a folder name.");
    return join(this.#viewsDir, repositoryId);
  }

  async #isCurrent(repositoryId: string, state: RepositoryState): Promise<boolean> {
    const known = this.#known.get(repositoryId);
    if (known === undefined || known.version < state.version || known.defaultBranch !== state.defaultBranch) return false;
    const directory = this.#directory(repositoryId);
    const version = await readRefsVersion(directory);
    if (version === null || version < state.version) return false;
    const placed = await listPlaced(directory);
    return known.packs.every((name) => placed.has(name));
  }

  /** Whether a view of this process needs no more packs. That of an empty repository is begun here; its refs come when they are asked for. */
  async #hasPacks(repositoryId: string): Promise<boolean> {
    const { database } = this.#options;
    const directory = this.#directory(repositoryId);
    const [state, packs, placed] = await Promise.all([
      readRepositoryState(database, repositoryId),
      listLivePacks(database, repositoryId),
      findPlaced(directory),
    ]);
    if (state === null) return false;
    if (packs.length === 0) await makeBareDirectory(directory);
    if (packs.length + placed.size === 0 && !this.#known.has(repositoryId)) this.#known.set(repositoryId, NOTHING_YET);
    return this.#known.has(repositoryId) && packs.every(({ name }) => placed.has(name));
  }

  /** One at a time per repository; who comes meanwhile waits for it and then looks whether it was new enough. */
  #refresh(repositoryId: string): Promise<void> {
    const running = this.#refreshing.get(repositoryId);
    if (running !== undefined) return running;
    const refresh = this.#build(repositoryId)
      .catch(passOverVanished)
      .finally(() => this.#refreshing.delete(repositoryId));
    this.#refreshing.set(repositoryId, refresh);
    return refresh;
  }

  async #build(repositoryId: string): Promise<void> {
    const { database } = this.#options;
    const directory = this.#directory(repositoryId);
    await makeBareDirectory(directory);
    const snapshot = await readSnapshot(database, repositoryId);
    const filled = await this.#fill(repositoryId, snapshot.packs);
    const packs = await this.#findNeeded(repositoryId, snapshot.packs);
    const defaultBranch = await database.transaction((tx) => writeSnapshot(tx, { repositoryId, directory, snapshot }));
    this.#known.set(repositoryId, { version: snapshot.version, defaultBranch, packs });
    this.#room.add(filled);
    await this.#room.keep();
  }

  /** Fills what is missing of `packs`. Gives the bytes that this took. */
  async #fill(repositoryId: string, packs: readonly LivePack[]): Promise<number> {
    const directory = this.#directory(repositoryId);
    const placed = await findPlaced(directory);
    // Views are written without waiting for the disk: one from before a power cut may have files cut short.
    const isTrusted = this.#known.has(repositoryId);
    const isWhole = async (pack: LivePack) => {
      const file = placed.get(pack.name);
      return isTrusted ? file !== undefined : file === pack.name && (await hasSizes(directory, pack));
    };
    const whole = await Promise.all(packs.map(isWhole));
    const missing = packs.filter((_, index) => whole[index] === false);
    await fillPacks(missing, this.#options, { directory, repositoryId, workFolder: this.#work.newFolder() });
    return missing.reduce((sum, { packSize, idxSize }) => sum + packSize + idxSize, 0);
  }

  /** Names of the packs on disk that have the objects of `packs`; one that has vanished keeps its name, and so is missed. */
  async #findNeeded(repositoryId: string, packs: readonly LivePack[]): Promise<readonly string[]> {
    const directory = this.#directory(repositoryId);
    const placed = await findPlaced(directory);
    const needed = new Set(packs.map(({ name }) => placed.get(name) ?? name));
    if ((await listPlaced(directory)).size > needed.size) this.#overfull.add(repositoryId);
    return [...needed];
  }

  async #trim(repositoryId: string): Promise<number> {
    const known = this.#known.get(repositoryId);
    if (known === undefined || this.#refreshing.has(repositoryId)) return 0;
    const view = { repositoryId, directory: this.#directory(repositoryId), needed: known.packs };
    const { count, left } = await dropReplacedPacks(this.#options.database, view, this.#leases.has(repositoryId));
    if (left === 0) this.#overfull.delete(repositoryId);
    return count;
  }

  async #touch(repositoryId: string): Promise<void> {
    const atMs = this.#options.clock.now();
    const touchedMs = this.#lastUsed.get(repositoryId)?.touchedMs ?? Number.NEGATIVE_INFINITY;
    const isDue = atMs - touchedMs >= TOUCH_INTERVAL_MS;
    this.#lastUsed.set(repositoryId, { atMs, touchedMs: isDue ? atMs : touchedMs });
    if (!isDue) return;
    await utimes(join(this.#directory(repositoryId), "packed-refs"), atMs / 1000, atMs / 1000).catch(passOverVanished);
  }
}

type Target = { readonly repositoryId: string; readonly directory: string; readonly snapshot: ViewSnapshot };

/** Gives the default branch that the view has now. */
async function writeSnapshot(tx: Transaction, { repositoryId, directory, snapshot }: Target): Promise<string> {
  await lockViews(tx, repositoryId);
  const state = await readRepositoryState(tx, repositoryId);
  if (state === null) throw new CoregitError("RepositoryNotFound", "There is no such repository.");
  await writeHead(directory, state.defaultBranch);
  const version = await readRefsVersion(directory);
  // Refs newer than the database's are from before it was restored from a backup.
  const isStale = version === null || version < snapshot.version || version > state.version;
  if (isStale) await writeRefs(directory, snapshot);
  return state.defaultBranch;
}

/** Somebody is deleting the cache: not an error, what is missing is made again. */
function passOverVanished(error: unknown): void {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (code !== "ENOENT" && code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
}
