// Commits of files: plan on the branch's head, make the objects in process, publish by compare-and-swap, and begin again
// when somebody else was faster. Commits on one branch take turns within this process, so that they do not fight; between
// processes the compare-and-swap decides, and whoever loses goes on top of the winner. Those that wait for the same branch are made one
// on top of the other and published together, so that a busy branch takes as many commits a second as the process can make. Nothing of
// this spawns git or reads a local view as long as what it needs was read or written here lately.
import { LRUCache } from "lru-cache";
import type { Clock } from "../domain/clock.ts";
import { CoregitError, type ErrorCode } from "../domain/errors.ts";
import type { NewObject } from "../domain/object-codec.ts";
import type { Oid } from "../domain/oid.ts";
import { branchRef } from "../domain/ref-name.ts";
import { writePack } from "../git/pack-writer.ts";
import { areLarge, blobsOf, type CommitBlobs, packObjects } from "./commit-pack.ts";
import type { CommitRequest, CommitResult } from "./commit-request.ts";
import { type Composed, checkCommit, composeCommit, reasonOf } from "./compose-commit.ts";
import { EventLoopTurns } from "./event-loop-turns.ts";
import { KeyedQueue } from "./keyed-queue.ts";
import type { ObjectCache } from "./object-cache.ts";
import { type PackDestination, prepareInline } from "./prepare-pack.ts";
import { type Outcomes, SharedTurns } from "./shared-turns.ts";
import type { Publication, RefStep, Repository, RepositoryStore } from "./store.ts";
import type { StoreOptions } from "./store-options.ts";
import { type CommitSource, UnpublishedObjects } from "./unpublished-objects.ts";

/**
 * Each lost race is somebody else's commit. A process that knows the head it left has its next commit ready before another one has
 * looked, so whoever lost this many in a row does not catch up by looking again, and asks for its turn.
 */
const MAX_RACES = 5;
/** A turn is given up when what others wrote cannot be read in time. */
const MAX_TURNS = 10;
/** How long all others wait for one commit at most. */
const TURN_MS = 2_000;
/** Commits that are published together: making them takes some milliseconds, about as long as the disk. */
const MAX_CHAIN = 16;
const REMEMBERED_HEADS = 10_000;
const REMEMBERED_REPOSITORIES = 1_000;

/** What another head would decide differently. */
const DECIDED_BY_HEAD: ReadonlySet<ErrorCode> = new Set([
  "RefMoved",
  "ChangeRefused",
  "NothingToCommit",
  "CommitTooLarge",
  "PathRefused",
  "ObjectMissing",
]);

/** Publishes what `make` makes of the refs while nobody else in any process can move them; one at a time. @throws CoregitError as `publish`. */
export type PublishInTurn = (
  repositoryId: string,
  make: (readRef: (name: string) => Promise<Oid | null>) => Promise<Publication>,
) => Promise<void>;

type WriterOptions = Pick<StoreOptions, "blobs" | "limits" | "tracer"> & {
  readonly clock: Clock;
  readonly store: Pick<RepositoryStore, "find" | "reader" | "publish">;
  readonly publishInTurn: PublishInTurn;
  readonly cache: ObjectCache;
};

type Made = Composed & { readonly publication: Publication };

type RepositoryName = Pick<Repository, "namespace" | "slug">;

/** One commit on its way. */
type Job = {
  readonly request: CommitRequest;
  readonly ref: string;
  readonly key: string;
  readonly reader: CommitSource;
  readonly blobs: CommitBlobs;
  readonly destination: PackDestination;
  readonly traceparent: string | null;
};

export class CommitWriter {
  readonly #options: WriterOptions;
  readonly #branches = new SharedTurns((jobs: readonly [Job, ...Job[]]) => this.#settleSome(jobs), MAX_CHAIN);
  /** Making a commit takes about as long as publishing it. */
  readonly #computing = new EventLoopTurns();
  /** One turn at a time in this process: each holds a connection and needs others to read. */
  readonly #turns = new KeyedQueue();
  /** Which repository has a name, as last seen. May be out of date as well: a repository that is gone takes no commit. */
  readonly #repositories = new LRUCache<string, Repository>({ max: REMEMBERED_REPOSITORIES });
  /** Where branches were when this process last moved them. May be out of date: a publish finds that out. */
  readonly #heads = new LRUCache<string, Oid>({ max: REMEMBERED_HEADS });

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  /** As `RepositoryStore.commit`. */
  async commit(name: RepositoryName, request: CommitRequest, signal: AbortSignal): Promise<CommitResult> {
    const key = `${name.namespace}/${name.slug}`;
    const remembered = this.#repositories.get(key);
    if (remembered === undefined) return await this.#commitTo(await this.#find(name), request, signal);
    try {
      return await this.#commitTo(remembered, request, signal);
    } catch (error) {
      // What a repository that is gone refused says nothing of the one that has its name now.
      const present = await this.#find(name);
      if (present.id === remembered.id) throw error;
      return await this.#commitTo(present, request, signal);
    }
  }

  async #find({ namespace, slug }: RepositoryName): Promise<Repository> {
    const found = await this.#options.store.find(namespace, slug);
    if (found === null) {
      this.#repositories.delete(`${namespace}/${slug}`);
      throw new CoregitError("RepositoryNotFound", `There is no repository ${namespace}/${slug}.`);
    }
    this.#repositories.set(`${namespace}/${slug}`, found);
    return found;
  }

  async #commitTo(repository: Repository, request: CommitRequest, signal: AbortSignal): Promise<CommitResult> {
    const { store, blobs, limits } = this.#options;
    const ref = branchRef(request.branch);
    const reader = store.reader(repository);
    const { inlinePackBytes } = limits;
    const destination = { repositoryId: repository.id, blobs, inlinePackBytes, source: "commit", signal } as const;
    const traceparent = this.#options.tracer?.current()?.traceparent ?? null;
    const common = { request, ref, key: `${repository.id} ${ref}`, reader, destination, traceparent };
    const job = { ...common, blobs: await this.#prepareBlobs(common) };
    return await this.#branches.run(job.key, job);
  }

  /** The first of those who wait for a branch, and as many of the others as can go with it. */
  async #settleSome(jobs: readonly [Job, ...Job[]]): Promise<Outcomes<CommitResult>> {
    const [first] = jobs;
    await this.#computing.next();
    first.destination.signal.throwIfAborted();
    const [own, ...others] = jobs.length === 1 ? [] : await this.#commitChain(jobs);
    return own === undefined ? [fulfilled(await this.#settle(first))] : [own, ...others];
  }

  /**
   * Commits made one on top of the other, from the first on until one that does not go with those before it, and published as one. Empty:
   * they do not, or the race was lost.
   */
  async #commitChain(jobs: readonly [Job, ...Job[]]): Promise<readonly PromiseSettledResult<CommitResult>[]> {
    const [{ key, reader, ref, request, destination }] = jobs;
    const head = this.#heads.get(key) ?? (await reader.readRef(ref));
    if (head === null) return [];
    const chain = await this.#composeChain(jobs, head);
    const [last] = chain.slice(-1);
    if (last === undefined || chain.length === 1) return [];
    const { repositoryId, source } = destination;
    const pack = prepareInline(writePack(chain.flatMap(({ objects }) => objects)), source);
    const refs = [{ name: ref, expected: head, next: last.commit.oid }];
    const steps = chain.map(({ result }, index) => stepOf(jobs[index], result));
    const publication = { repositoryId, packs: [pack], refs, steps, actor: request.actor, reason: reasonOf(request) };
    this.#heads.delete(key);
    try {
      await this.#options.store.publish(publication);
    } catch (error) {
      // Where it is not known what became of them, none may be tried again.
      return isLostRace(error) ? [] : chain.map(() => ({ status: "rejected", reason: error }));
    }
    return chain.map((composed) => fulfilled(this.#landed({ key, repositoryId }, composed)));
  }

  /** What fails on top of commits that are not published yet is told nobody: it is tried again on top of published ones. */
  async #composeChain(jobs: readonly Job[], head: Oid): Promise<readonly Composed[]> {
    const chain: Composed[] = [];
    const [first] = jobs;
    if (first === undefined) return chain;
    const source = new UnpublishedObjects(first.reader);
    const objects: NewObject[] = [];
    let at = head;
    for (const job of jobs) {
      if (job.blobs.packs.length > 0 || job.destination.signal.aborted) break;
      const composed = await this.#compose(job, at, source).catch(() => null);
      if (composed === null) break;
      objects.push(...composed.objects);
      if (areLarge(objects, job.destination)) break;
      chain.push(composed);
      source.add(composed.commit, composed.objects);
      at = composed.commit.oid;
    }
    return chain;
  }

  /** Blobs that are too much for one transaction are packed once the commit has been seen to fit the branch as it is. */
  async #prepareBlobs(job: Omit<Job, "blobs">): Promise<CommitBlobs> {
    const loose = blobsOf(job.request.changes);
    if (!areLarge(loose, job.destination)) return { packs: [], loose };
    await checkCommit(job.request, job.reader, await readHead(job));
    return { packs: [await packObjects(loose, job.destination)], loose: [] };
  }

  async #settle(job: Job): Promise<CommitResult> {
    const remembered = this.#heads.get(job.key);
    if (remembered !== undefined) {
      const result = await this.#commitOn(job, remembered).catch(passOverStaleHead);
      if (result !== null) return result;
    }
    for (let race = 0; race < MAX_RACES; race += 1) {
      const result = await this.#commitOn(job, await readHead(job)).catch(passOverLostRace);
      if (result !== null) return result;
    }
    for (let turn = 0; turn < MAX_TURNS; turn += 1) {
      const result = await this.#turns.run("one", () => this.#commitInTurn(job)).catch(passOverLateTurn);
      if (result !== null) return result;
    }
    throw new CoregitError("RefMoved", `${job.ref} moves faster than a commit can be put on top of it.`);
  }

  /** One attempt on top of `head`. @throws CoregitError `RefMoved` with `details.ref` when the race was lost. */
  async #commitOn(job: Job, head: Oid | null): Promise<CommitResult> {
    const made = await this.#make(job, head);
    this.#heads.delete(job.key);
    await this.#options.store.publish(made.publication);
    return this.#landed({ key: job.key, repositoryId: job.destination.repositoryId }, made);
  }

  /** While nobody else commits to the repository. */
  async #commitInTurn(job: Job): Promise<CommitResult> {
    let made: Made | null = null;
    this.#heads.delete(job.key);
    await this.#options.publishInTurn(job.destination.repositoryId, async (readRef) => {
      made = await inTime(this.#make(job, await readRef(job.ref)));
      return made.publication;
    });
    if (made === null) throw new CoregitError("Internal", "A commit was published that was not made.");
    return this.#landed({ key: job.key, repositoryId: job.destination.repositoryId }, made);
  }

  /** The commit and what publishes it; nothing is published. */
  async #make(job: Job, head: Oid | null): Promise<Made> {
    const { request, ref, destination, traceparent } = job;
    const composed = await this.#compose(job, head, job.reader);
    const packs = [...job.blobs.packs, await packObjects(composed.objects, destination)];
    const refs = [{ name: ref, expected: head, next: composed.commit.oid }];
    const why = { actor: request.actor, reason: reasonOf(request), traceparent };
    return { ...composed, publication: { repositoryId: destination.repositoryId, packs, refs, ...why } };
  }

  #compose({ request, blobs: { loose } }: Job, head: Oid | null, source: CommitSource): Promise<Composed> {
    return composeCommit({ request, source, loose, nowMs: this.#options.clock.now() }, head);
  }

  #landed({ key, repositoryId }: { readonly key: string; readonly repositoryId: string }, composed: Composed): CommitResult {
    const { objects, commit, result } = composed;
    this.#heads.set(key, result.sha);
    this.#options.cache.setObjects(repositoryId, objects);
    this.#options.cache.setCommit(repositoryId, commit);
    return result;
  }
}

function readHead({ reader, ref }: Pick<Job, "reader" | "ref">): Promise<Oid | null> {
  return reader.readRef(ref);
}

function fulfilled(value: CommitResult): PromiseSettledResult<CommitResult> {
  return { status: "fulfilled", value };
}

function stepOf(job: Job | undefined, { previous, sha }: CommitResult): RefStep {
  // A chain has a job for each commit, and begins on top of one.
  if (job === undefined || previous === null)
    throw new CoregitError("Internal", "A chain of commits has one that nobody asked for.");
  return { from: previous, to: sha, actor: job.request.actor, reason: reasonOf(job.request), traceparent: job.traceparent };
}

function passOverStaleHead(error: unknown): null {
  if (error instanceof CoregitError && DECIDED_BY_HEAD.has(error.code)) return null;
  throw error;
}

function passOverLostRace(error: unknown): null {
  if (isLostRace(error)) return null;
  throw error;
}

function isLostRace(error: unknown): boolean {
  return error instanceof CoregitError && error.code === "RefMoved" && "ref" in error.details;
}

class LateTurn extends Error {}

async function inTime<T>(work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new LateTurn("A commit was not made in its turn.")), TURN_MS);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function passOverLateTurn(error: unknown): null {
  if (error instanceof LateTurn) return null;
  throw error;
}
