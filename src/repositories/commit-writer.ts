// Commits of files: plan on the branch's head, make the objects in process, publish by compare-and-swap, and begin again
// when somebody else was faster. Commits on one branch take turns within this process, so that they do not fight; between
// processes the compare-and-swap decides, and whoever loses goes on top of the winner. Neither spawns git nor reads a
// local view as long as what it needs was read or written here lately.
import { LRUCache } from "lru-cache";
import type { Clock } from "../domain/clock.ts";
import { type Commit, type CommitContent, signatureOf } from "../domain/commit.ts";
import { planCommit } from "../domain/commit-plan.ts";
import { CoregitError, type ErrorCode } from "../domain/errors.ts";
import { encodeCommit, type NewObject, newObject } from "../domain/object-codec.ts";
import { EMPTY_TREE, type Oid } from "../domain/oid.ts";
import { branchRef } from "../domain/ref-name.ts";
import { areLarge, blobsOf, type CommitBlobs, packObjects } from "./commit-pack.ts";
import type { CommitRequest, CommitResult } from "./commit-request.ts";
import { KeyedQueue } from "./keyed-queue.ts";
import type { ObjectCache } from "./object-cache.ts";
import type { PackDestination } from "./prepare-pack.ts";
import type { Publication, Repository, RepositoryReader, RepositoryStore } from "./store.ts";
import type { StoreOptions } from "./store-options.ts";

/**
 * Each lost race is somebody else's commit. A process that knows the head it left has its next commit ready before another one has
 * looked, so whoever lost this many in a row does not catch up by looking again, and asks for its turn.
 */
const MAX_RACES = 5;
/** A turn is given up when what others wrote cannot be read in time. */
const MAX_TURNS = 10;
/** How long all others wait for one commit at most. */
const TURN_MS = 2_000;
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

type WriterOptions = Pick<StoreOptions, "blobs" | "limits"> & {
  readonly clock: Clock;
  readonly store: Pick<RepositoryStore, "find" | "reader" | "publish">;
  readonly publishInTurn: PublishInTurn;
  readonly cache: ObjectCache;
};

type Made = {
  readonly publication: Publication;
  readonly objects: readonly NewObject[];
  readonly commit: Commit;
  readonly result: CommitResult;
};

type RepositoryName = Pick<Repository, "namespace" | "slug">;

/** One commit on its way. */
type Job = {
  readonly request: CommitRequest;
  readonly ref: string;
  readonly key: string;
  readonly reader: RepositoryReader;
  readonly blobs: CommitBlobs;
  readonly destination: PackDestination;
};

export class CommitWriter {
  readonly #options: WriterOptions;
  readonly #queue = new KeyedQueue();
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
    const common = { request, ref, key: `${repository.id} ${ref}`, reader, destination };
    const job = { ...common, blobs: await this.#prepareBlobs(common) };
    return await this.#queue.run(job.key, async () => {
      signal.throwIfAborted();
      return await this.#settle(job);
    });
  }

  /** Blobs that are too much for one transaction are packed once the commit has been seen to fit the branch as it is. */
  async #prepareBlobs(job: Omit<Job, "blobs">): Promise<CommitBlobs> {
    const loose = blobsOf(job.request.changes);
    if (!areLarge(loose, job.destination)) return { packs: [], loose };
    const head = await readHead(job);
    await this.#plan(job, await baseOf(job, head));
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
    return this.#landed(job, made);
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
    return this.#landed(job, made);
  }

  /** The commit and what publishes it; nothing is published. */
  async #make(job: Job, head: Oid | null): Promise<Made> {
    const { request, ref, destination } = job;
    const parent = await baseOf(job, head);
    const { root, objects } = await this.#plan(job, parent);
    const content = this.#describe(request, { tree: root, parent });
    const commit = newObject("commit", encodeCommit(content));
    const made = [...job.blobs.loose, ...objects, commit];
    const packs = [...job.blobs.packs, await packObjects(made, destination)];
    const { repositoryId } = destination;
    const refs = [{ name: ref, expected: head, next: commit.oid }];
    const publication = { repositoryId, packs, refs, actor: request.actor, reason: reasonOf(request) };
    return {
      publication,
      objects: made,
      commit: { oid: commit.oid, ...content },
      result: { sha: commit.oid, tree: root, branch: request.branch, parent, previous: head },
    };
  }

  #landed({ key }: Job, { publication: { repositoryId }, objects, commit, result }: Made): CommitResult {
    this.#heads.set(key, result.sha);
    this.#options.cache.setObjects(repositoryId, objects);
    this.#options.cache.setCommit(repositoryId, commit);
    return result;
  }

  async #plan({ request, reader }: Omit<Job, "blobs">, parent: Oid | null) {
    const base = parent === null ? EMPTY_TREE : (await reader.readCommit(parent)).tree;
    const { root, newTrees, editedBlobs } = await planCommit(reader, base, request.changes);
    if (root === base && !request.allowEmpty) {
      throw new CoregitError("NothingToCommit", `The commit would change nothing on ${request.branch}.`);
    }
    return { root, objects: [...editedBlobs, ...newTrees] };
  }

  #describe(request: CommitRequest, { tree, parent }: { readonly tree: Oid; readonly parent: Oid | null }): CommitContent {
    const nowMs = this.#options.clock.now();
    return {
      tree,
      parents: parent === null ? [] : [parent],
      author: signatureOf(request.author, nowMs),
      committer: signatureOf(request.committer, nowMs),
      message: request.message,
    };
  }
}

function readHead({ reader, ref }: Pick<Job, "reader" | "ref">): Promise<Oid | null> {
  return reader.readRef(ref);
}

/**
 * The commit to build on. @throws CoregitError `RefMoved` with `details.head_sha` when the branch is not what the caller
 * takes it for; `RefNotFound` when the base branch is not there.
 */
async function baseOf({ request, reader }: Pick<Job, "request" | "reader">, head: Oid | null): Promise<Oid | null> {
  const { branch, parentSha, baseBranch } = request;
  if (parentSha !== null && parentSha !== head) {
    const state = head === null ? "does not exist" : `is at ${head}`;
    const message = `The branch ${branch} ${state}, not at the parent_sha ${parentSha}.`;
    throw new CoregitError("RefMoved", message, { details: { head_sha: head } });
  }
  if (head !== null || baseBranch === null) return head;
  const base = await reader.readRef(branchRef(baseBranch));
  if (base !== null) return base;
  const details = { field: "base_branch" };
  throw new CoregitError("RefNotFound", `There is no branch ${JSON.stringify(baseBranch)} to begin ${branch} from.`, { details });
}

function passOverStaleHead(error: unknown): null {
  if (error instanceof CoregitError && DECIDED_BY_HEAD.has(error.code)) return null;
  throw error;
}

function passOverLostRace(error: unknown): null {
  if (error instanceof CoregitError && error.code === "RefMoved" && "ref" in error.details) return null;
  throw error;
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

const MAX_SUBJECT_LENGTH = 120;

/** As git writes it into a reflog. */
function reasonOf({ message }: CommitRequest): string {
  const subject = message.split("\n", 1)[0]?.replace(/\p{Cc}/gu, " ") ?? "";
  return `commit: ${subject.slice(0, MAX_SUBJECT_LENGTH)}`;
}
