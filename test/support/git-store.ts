// A git store on a database of a test, with a cache folder of its own, and the usual ways to bring something into it.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BlobStore } from "../../src/blobs/blob-store.ts";
import { openBlobStore } from "../../src/blobs/open-blob-store.ts";
import type { Database } from "../../src/db/database.ts";
import { type Clock, systemClock } from "../../src/domain/clock.ts";
import { encodeCommit, encodeTree, type NewObject, newObject } from "../../src/domain/object-codec.ts";
import type { Oid } from "../../src/domain/oid.ts";
import type { CacheMetrics } from "../../src/repositories/cache-metrics.ts";
import { type LocalRepositoryStore, openRepositoryStore } from "../../src/repositories/open-repository-store.ts";
import type { Repository } from "../../src/repositories/store.ts";
import { type StoreLimits, storeLimits } from "../../src/repositories/store-options.ts";
import { expectCleanViews } from "./fsck.ts";
import { gitBytes } from "./git.ts";
import { silentLogger } from "./silent-logger.ts";
import type { SourceRepository } from "./source-repository.ts";

export const MEBIBYTE = 1 << 20;

export type TestStore = AsyncDisposable & {
  readonly store: LocalRepositoryStore;
  readonly cacheDir: string;
  readonly blobs: BlobStore;
};

export type TestStoreOptions = {
  readonly cacheDir?: string;
  readonly cacheMaxBytes?: number;
  readonly limits?: Partial<StoreLimits>;
  readonly clock?: Clock;
  readonly blobs?: BlobStore;
  readonly metrics?: CacheMetrics;
};

/** Disposal checks every view with git's fsck, then removes the cache folder unless it was given. */
export async function openTestStore(database: Database, options: TestStoreOptions = {}): Promise<TestStore> {
  await using stack = new AsyncDisposableStack();
  const cacheDir = options.cacheDir ?? (await mkdtemp(join(tmpdir(), "coregit-cache-")));
  if (options.cacheDir === undefined) stack.defer(() => rm(cacheDir, { recursive: true, force: true }));
  const blobs = options.blobs ?? stack.use(await openBlobStore({ kind: "postgres" }, database));
  const store = await openRepositoryStore({
    database,
    blobs,
    cacheDir,
    cacheMaxBytes: options.cacheMaxBytes ?? 1024 * MEBIBYTE,
    limits: { ...storeLimits(256 * MEBIBYTE), ...options.limits },
    logger: silentLogger,
    clock: options.clock ?? systemClock,
    ...(options.metrics === undefined ? {} : { metrics: options.metrics }),
  });
  stack.use(store);
  stack.defer(() => expectCleanViews(cacheDir));
  const owned = stack.move();
  return { store, cacheDir, blobs, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** A row in `repositories`, empty. */
export async function addRepository(database: Database, slug = "site"): Promise<Repository> {
  const repository = { id: `repo_${slug}`, namespace: "default", slug, description: "" } as const;
  const sql = "INSERT INTO repositories (id, namespace, slug) VALUES ($1, $2, $3)";
  await database.query(sql, [repository.id, repository.namespace, repository.slug]);
  return { ...repository, visibility: "private", defaultBranch: "main", protectedBranches: [] };
}

/** The pack of one commit at depth 1, as a remote sends it: the commit, its trees and blobs. */
export async function shallowPack(source: SourceRepository, oid: Oid): Promise<Buffer> {
  const objects = await source.git("rev-list", "--objects", "--no-object-names", `${oid}^{tree}`);
  return gitBytes(["-C", source.path, "pack-objects", "--stdout", "--quiet"], { input: `${oid}\n${objects}\n` });
}

/** Bytes in chunks, as they come from a socket. */
export async function* chunked(bytes: Uint8Array, size = 16_384): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

const ADA = { name: "Ada", email: "ada@example.com", timestamp: 1_700_000_000, timezone: "+0000" };

/** A commit of `tree`, one second after its parent's. */
export function commitOf(tree: Oid, parents: readonly Oid[] = [], message = "Change\n", timestamp = ADA.timestamp): NewObject {
  const signature = { ...ADA, timestamp };
  return newObject("commit", encodeCommit({ tree, parents, author: signature, committer: signature, message }));
}

/** Blob, tree and commit of one small file. */
export function smallCommit(
  text: string,
  parents: readonly Oid[] = [],
  timestamp?: number,
): { readonly objects: NewObject[]; readonly oid: Oid } {
  const blob = newObject("blob", Buffer.from(text));
  const tree = newObject("tree", encodeTree([{ name: "file.txt", mode: "100644", oid: blob.oid }]));
  const commit = commitOf(tree.oid, parents, `Write ${text}\n`, timestamp);
  return { objects: [blob, tree, commit], oid: commit.oid };
}

/** Publishes a small commit on a branch. */
export async function publishSmallCommit(
  store: LocalRepositoryStore,
  repository: Repository,
  change: { readonly text: string; readonly expected: Oid | null; readonly ref?: string; readonly timestamp?: number },
): Promise<Oid> {
  const { objects, oid } = smallCommit(change.text, change.expected === null ? [] : [change.expected], change.timestamp);
  await store.publish({
    repositoryId: repository.id,
    packs: [store.buildPack(objects, "commit")],
    refs: [{ name: change.ref ?? "refs/heads/main", expected: change.expected, next: oid }],
    actor: "master",
    reason: "test",
  });
  return oid;
}

/** Imports the head of a source's branch as the engine does: its tree under a commit of ours. */
export async function importHead(
  store: LocalRepositoryStore,
  repository: Repository,
  source: SourceRepository,
  expected: Oid | null = null,
): Promise<Oid> {
  const signal = AbortSignal.timeout(60_000);
  const head = await source.head();
  await using quarantine = await store.quarantine(repository);
  await quarantine.receivePack(chunked(await shallowPack(source, head)), { shallowTips: [head] }, signal);
  const commit = commitOf(await source.tree(), expected === null ? [] : [expected], "Import\n");
  quarantine.addObjects([commit]);
  const packs = await quarantine.seal({ source: "import", dropCommits: true }, signal);
  const refs = [{ name: "refs/heads/main", expected, next: commit.oid }];
  await store.publish({ repositoryId: repository.id, packs, refs, actor: "sync:1", reason: "import" });
  return commit.oid;
}
