// All that a sync needs, as the program puts it together: an own database, the git store, remotes on loopback, declarations,
// triggers and engines. Disposal checks what must hold after every test: git finds nothing wrong with any view, and no run is
// left open.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { openBlobStore } from "../../src/blobs/open-blob-store.ts";
import type { BlobStoreSetting } from "../../src/config/config.ts";
import type { Database } from "../../src/db/database.ts";
import { type Clock, systemClock } from "../../src/domain/clock.ts";
import type { SyncStatus } from "../../src/domain/declaration.ts";
import type { Oid } from "../../src/domain/oid.ts";
import type { SyncSpec } from "../../src/domain/sync-spec.ts";
import { noTracer, type Tracer } from "../../src/domain/tracer.ts";
import { type OpenedRemotes, openRemotes } from "../../src/remotes/open-remotes.ts";
import { type LocalRepositoryStore, openRepositoryStore } from "../../src/repositories/open-repository-store.ts";
import type { Repository, RepositoryStore } from "../../src/repositories/store.ts";
import { type StoreLimits, storeLimits } from "../../src/repositories/store-options.ts";
import type { Declarations } from "../../src/sync/declarations.ts";
import { type Engine, type EngineOptions, openEngine } from "../../src/sync/engine.ts";
import { type History, openHistory } from "../../src/sync/history.ts";
import { openDeclarations } from "../../src/sync/open-declarations.ts";
import { openTriggers, type Triggers } from "../../src/sync/triggers.ts";
import { createTestDatabase } from "./database.ts";
import { declareSync } from "./declare-sync.ts";
import { expectCleanRepository } from "./fsck.ts";
import { git } from "./git.ts";
import { QUIET_SPEC, TEST_KEYS } from "./quiet-spec.ts";
import { knowCredentials } from "./secrets/declared-secrets.ts";
import { knowSecret } from "./secrets/evidence.ts";
import { silentLogger } from "./silent-logger.ts";

export interface SyncWorld extends AsyncDisposable {
  readonly url: string;
  readonly database: Database;
  readonly store: LocalRepositoryStore;
  readonly cacheDir: string;
  readonly declarations: Declarations;
  readonly triggers: Triggers;
  readonly history: History;
  readonly remotes: OpenedRemotes;
  /** Declares the sync `default/<name>` into the repository of that name. */
  declare(remote: string, spec?: Partial<SyncSpec>, name?: string, connection?: string): Promise<SyncStatus>;
  /** Another engine on the same database and store; it has been started. */
  startEngine(options?: Partial<EngineOptions>): Promise<Engine>;
  /** The status once nothing is due and nothing runs. */
  settle(engine: Engine, sync: SyncStatus): Promise<SyncStatus>;
  repository(name?: string): Promise<Repository>;
  /** Commit of a branch of the repository `default/<name>`, or null. */
  head(branch?: string, name?: string): Promise<Oid | null>;
  tree(branch?: string, name?: string): Promise<Oid>;
  /** Runs native git in the repository's view. */
  git(args: readonly string[], name?: string): Promise<string>;
}

export async function openSyncWorld(
  clock: Clock = systemClock,
  blobStore: BlobStoreSetting = { kind: "postgres" },
  storeLimitChanges: Partial<StoreLimits> = {},
  tracer: Tracer = noTracer,
): Promise<SyncWorld> {
  await using stack = new AsyncDisposableStack();
  const { url, database } = stack.use(await createTestDatabase());
  const cacheDir = await mkdtemp(join(tmpdir(), "coregit-cache-"));
  stack.defer(() => rm(cacheDir, { recursive: true, force: true }));
  const blobs = stack.use(await openBlobStore(blobStore, database));
  const limits = { ...storeLimits(1 << 30), ...storeLimitChanges };
  const shared = { database, clock, logger: silentLogger, tracer };
  const store = stack.use(await openRepositoryStore({ ...shared, blobs, cacheDir, cacheMaxBytes: 1 << 30, limits }));
  const remotes = stack.use(
    openRemotes({
      allowedHosts: ["127.0.0.0/8"],
      fileRemotes: [],
      runLocalUploadPack: null,
      limits: { apiAttemptMs: 5_000 },
      userAgent: "coregit/test",
      ...shared,
    }),
  );
  stack.defer(() => expectInvariants(database, store));
  for (const key of TEST_KEYS) knowSecret("the encryption key", Buffer.from(key).toString("base64"));
  const declarations = knowCredentials(openDeclarations({ database, store, keys: TEST_KEYS, tracer }));
  let engines = 0;
  const repository = async (name = "copy") => {
    const found = await store.find("default", name);
    if (found === null) throw new Error(`There is no repository ${name}.`);
    return found;
  };
  const head = async (branch = "main", name = "copy") => store.reader(await repository(name)).readRef(`refs/heads/${branch}`);
  const owned = stack.move();
  return {
    url,
    database,
    store,
    cacheDir,
    declarations,
    triggers: openTriggers(database, tracer),
    history: openHistory(database),
    remotes,
    declare: (remote, spec = {}, name = "copy", connection) =>
      declareSync(declarations, {
        owner: { kind: "resource", ref: `uid-${name}` },
        namespace: "default",
        name,
        repository: name,
        connection: connection ?? null,
        spec: { ...QUIET_SPEC, remote, ...spec },
      }),
    async startEngine(options = {}) {
      engines += 1;
      const instanceId = `engine-${engines}`;
      const engine = openEngine({
        ...shared,
        store,
        remotes,
        keys: TEST_KEYS,
        jitter: 0,
        random: Math.random,
        workers: 4,
        instanceId,
        ...options,
      });
      owned.use(engine);
      await engine.start();
      return engine;
    },
    async settle(engine, sync) {
      await engine.drain();
      const status = await declarations.readSync(sync.id);
      if (status === null) throw new Error("The sync is gone.");
      return status;
    },
    repository,
    head,
    async tree(branch = "main", name = "copy") {
      const oid = await head(branch, name);
      if (oid === null) throw new Error(`There is no branch ${branch}.`);
      return (await store.reader(await repository(name)).readCommit(oid)).tree;
    },
    git: async (args, name = "copy") => git(["--git-dir", await store.view(await repository(name)), ...args]),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function expectInvariants(database: Database, store: RepositoryStore): Promise<void> {
  const open = await database.query("SELECT id, sync_id FROM runs WHERE status = 'running'");
  expect(open.rows, "runs left open").toEqual([]);
  const leased = await database.query("SELECT id, lease_owner FROM syncs WHERE lease_owner IS NOT NULL");
  expect(leased.rows, "leases left behind").toEqual([]);
  const { rows } = await database.query<{ id: string }>(
    "SELECT id FROM repositories WHERE id IN (SELECT repository_id FROM refs)",
  );
  for (const { id } of rows) {
    const repository = await store.get(id);
    if (repository !== null) await expectCleanRepository(await store.view(repository));
  }
}
