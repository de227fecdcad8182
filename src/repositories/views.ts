// Local views: for each repository a bare directory that native git opens, made of published packs and a snapshot of the
// refs. A view is a cache. Any file of it may vanish at any instant, and several processes may share the folder:
//   1. packs come first, each checked by hash and renamed into place (their names are their content, so racing is harmless);
//   2. then, under a lock in the database, the version, the refs and the list of packs are read in this order, so that the
//      refs are at least as new as the version and no ref leads outside the packs;
//   3. only when all those packs are there do the refs replace the old ones.
// A view serves a call when its refs are at least as new as the repository's version at the time of the call.
import { mkdir, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { Transaction } from "../db/database.ts";
import { listLivePacks, type PackRow } from "../db/packs.ts";
import { readRefs } from "../db/refs.ts";
import { lockViews, type RepositoryState, readRepositoryState } from "../db/repositories.ts";
import { CoregitError } from "../domain/errors.ts";
import type { PackFiles } from "../git/cut-pack.ts";
import { makeBareDirectory, readRefsVersion, writeRefs } from "./bare-directory.ts";
import { fillPack, packPath, placePack } from "./pack-fill.ts";
import type { ProcessDirectory } from "./process-directory.ts";
import type { StoreOptions } from "./store-options.ts";
import { chooseEvictions, measureViews } from "./view-eviction.ts";

const MAX_ATTEMPTS = 5;
const CONCURRENT_FILLS = 4;
/** How exact the last use of a view is for other processes. */
const TOUCH_INTERVAL_MS = 60_000;

/** What this process last wrote into a view. */
type Known = RepositoryState & { readonly packs: readonly string[] };

type ViewOptions = Pick<StoreOptions, "database" | "blobs" | "cacheDir" | "cacheMaxBytes" | "logger" | "clock">;

/** A view that is not evicted until it is let go. */
export type ViewLease = Disposable & { readonly directory: string };

export class ViewCache {
  readonly #options: ViewOptions;
  readonly #work: ProcessDirectory;
  readonly #viewsDir: string;
  readonly #known = new Map<string, Known>();
  readonly #refreshing = new Map<string, Promise<void>>();
  readonly #leases = new Map<string, number>();
  readonly #lastUsed = new Map<string, { readonly atMs: number; readonly touchedMs: number }>();

  constructor(options: ViewOptions, work: ProcessDirectory) {
    this.#options = options;
    this.#work = work;
    this.#viewsDir = join(options.cacheDir, "views");
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
    this.#leases.set(repositoryId, (this.#leases.get(repositoryId) ?? 0) + 1);
    const release = () => {
      const left = (this.#leases.get(repositoryId) ?? 1) - 1;
      if (left === 0) this.#leases.delete(repositoryId);
      else this.#leases.set(repositoryId, left);
    };
    try {
      return { directory: await this.current(repositoryId), [Symbol.dispose]: release };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Puts a pack that this process just published into its view, if there is one, so that it need not be fetched. */
  async adopt(repositoryId: string, name: string, files: PackFiles): Promise<void> {
    if (this.#known.has(repositoryId)) await placePack(this.#directory(repositoryId), name, files).catch(passOverVanished);
  }

  /** Removes a view. The next call builds it again. */
  async discard(repositoryId: string): Promise<void> {
    this.#known.delete(repositoryId);
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
    const directory = this.#directory(repositoryId);
    await makeBareDirectory(directory);
    const packs = await listLivePacks(this.#options.database, repositoryId);
    const filled = await this.#fill(repositoryId, packs);
    const known = await this.#options.database.transaction((tx) => writeSnapshot(tx, repositoryId, directory));
    if (known !== null) this.#known.set(repositoryId, known);
    if (filled > 0) await this.#evict();
  }

  /** Fills what is missing of `packs`. Gives their number. */
  async #fill(repositoryId: string, packs: readonly PackRow[]): Promise<number> {
    const directory = this.#directory(repositoryId);
    const placed = await listPlaced(directory);
    // Views are written without waiting for the disk: one from before a power cut may have files cut short.
    const isTrusted = this.#known.has(repositoryId);
    const isWhole = async (pack: PackRow) => placed.has(pack.name) && (isTrusted || (await hasSizes(directory, pack)));
    const whole = await Promise.all(packs.map(isWhole));
    const missing = packs.filter((_, index) => whole[index] === false);
    if (missing.length === 0) return 0;
    const queue = missing.values();
    const target = { directory, repositoryId, workFolder: this.#work.newFolder() };
    const fillNext = async () => {
      for (const pack of queue) await fillPack(pack, this.#options, target);
    };
    await mkdir(target.workFolder, { recursive: true });
    try {
      await Promise.all(Array.from({ length: CONCURRENT_FILLS }, fillNext));
    } finally {
      await rm(target.workFolder, { recursive: true, force: true });
    }
    return missing.length;
  }

  async #evict(): Promise<void> {
    const { cacheMaxBytes, clock, logger } = this.#options;
    const measured = await measureViews(this.#viewsDir);
    const views = measured.map((view) => ({ ...view, lastUsedMs: this.#lastUsed.get(view.id)?.atMs ?? view.lastUsedMs }));
    const isLeased = (id: string) => this.#leases.has(id) || this.#refreshing.has(id);
    for (const id of chooseEvictions(views, cacheMaxBytes, clock.now(), isLeased)) {
      logger.debug({ repositoryId: id }, "Removing a local view to make room.");
      await this.discard(id);
    }
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

/** Null: a pack was published meanwhile and is not there yet. */
async function writeSnapshot(tx: Transaction, repositoryId: string, directory: string): Promise<Known | null> {
  await lockViews(tx, repositoryId);
  const state = await readRepositoryState(tx, repositoryId);
  if (state === null) throw new CoregitError("RepositoryNotFound", "There is no such repository.");
  const refs = await readRefs(tx, repositoryId);
  const packs = (await listLivePacks(tx, repositoryId)).map(({ name }) => name);
  const placed = await listPlaced(directory);
  if (!packs.every((name) => placed.has(name))) return null;
  await writeRefs(directory, { ...state, refs });
  return { ...state, packs };
}

/** Names of the packs whose index and pack are both in a view. */
async function listPlaced(directory: string): Promise<Set<string>> {
  const files = new Set(await readdir(join(directory, "objects", "pack")).catch(() => []));
  const names = [...files].flatMap((file) => /^pack-([0-9a-f]{40})\.idx$/.exec(file)?.[1] ?? []);
  return new Set(names.filter((name) => files.has(`pack-${name}.pack`)));
}

async function hasSizes(directory: string, { name, packSize, idxSize }: PackRow): Promise<boolean> {
  const sizeOf = async (part: "pack" | "idx") => (await stat(packPath(directory, name, part)).catch(() => null))?.size;
  return (await sizeOf("pack")) === packSize && (await sizeOf("idx")) === idxSize;
}

/** Somebody is deleting the cache: not an error, what is missing is made again. */
function passOverVanished(error: unknown): void {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (code !== "ENOENT" && code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
}
