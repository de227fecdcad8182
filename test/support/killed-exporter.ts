// kill -9 of a process that exports by a provider's API, after each request that it makes has been done and before it can know.
// Whatever was killed, the next worker ends with equal trees and one commit for each state of the branch that was exported.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { openBlobStore } from "../../src/blobs/open-blob-store.ts";
import type { Database } from "../../src/db/database.ts";
import { systemClock } from "../../src/domain/clock.ts";
import { type LocalRepositoryStore, openRepositoryStore } from "../../src/repositories/open-repository-store.ts";
import type { Repository } from "../../src/repositories/store.ts";
import { storeLimits } from "../../src/repositories/store-options.ts";
import { openDeclarations } from "../../src/sync/open-declarations.ts";
import { type ChildProgram, isEnded, startChildProgram } from "./child-program.ts";
import { createTestDatabase } from "./database.ts";
import { commitHere } from "./local-commit.ts";
import type { BareRepository } from "./providers/bare-repository.ts";
import type { Faults } from "./providers/faults.ts";
import { QUIET_SPEC, TEST_KEYS } from "./quiet-spec.ts";
import { README } from "./served-remote.ts";
import { silentLogger } from "./silent-logger.ts";
import type { SyncWorkerSettings } from "./sync-worker.ts";

const DEADLINE = { timeout: 30_000 };
const NAME = { owner: { kind: "file", ref: "kill" }, namespace: "default", name: "kill" } as const;

/** A repository at a provider's double that has a README. */
export type ExportPlace = {
  readonly provider: "github" | "gitlab";
  readonly url: string;
  readonly token: string;
  /** Its name. */
  readonly remote: string;
  readonly git: BareRepository;
  readonly faults: Faults;
};

type Exporter = {
  readonly store: LocalRepositoryStore;
  readonly repository: Repository;
  readonly database: Database;
  /** Commit of the last success. */
  lastSynced(): Promise<string | null>;
  startWorker(): ChildProgram;
};

/** A repository here, its declared export, and no worker yet. */
async function openExporter(stack: AsyncDisposableStack, place: ExportPlace): Promise<Exporter> {
  const { url, database } = stack.use(await createTestDatabase());
  const folder = await mkdtemp(join(tmpdir(), "coregit-kill-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const packsDir = join(folder, "packs");
  const blobs = stack.use(await openBlobStore({ kind: "file", directory: packsDir }, database));
  const shared = { database, clock: systemClock, logger: silentLogger };
  const cache = { cacheDir: join(folder, "here"), cacheMaxBytes: 1 << 30, limits: storeLimits(1 << 30) };
  const store = stack.use(await openRepositoryStore({ ...shared, blobs, ...cache }));
  const declarations = openDeclarations({ database, store, keys: TEST_KEYS });
  const { provider, url: baseUrl, token, remote } = place;
  const credential = { kind: "token", token } as const;
  await declarations.declareConnection({ ...NAME, label: "kill", provider, baseUrl, caPem: null, credential, error: null });
  const spec = { ...QUIET_SPEC, direction: "export", branch: "main", remote, transport: "api" } as const;
  const sync = await declarations.declareSync({ ...NAME, repository: "kill", connection: "kill", spec });
  const repository = await store.find("default", "kill");
  if (repository === null) throw new Error("The repository was not made.");
  let workers = 0;
  return {
    store,
    repository,
    database,
    lastSynced: async () => (await declarations.readSync(sync.id))?.lastSyncedSha ?? null,
    startWorker() {
      workers += 1;
      const own = { cacheDir: join(folder, "there"), instanceId: `worker-${workers}`, isOnlyWorker: true };
      const settings: SyncWorkerSettings = { url, packsDir, ...own };
      const started = startChildProgram("sync-worker.ts", [JSON.stringify(settings)]);
      return stack.adopt(started, (worker) => worker.end("SIGKILL"));
    },
  };
}

/** Resolves to how many exports it took until none was killed any more: one more than there are requests in one. */
export async function killAfterEachRequest(place: ExportPlace): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const { store, repository, database, lastSynced, startWorker } = await openExporter(stack, place);
  const { git, faults } = place;
  const commits = async () => Number(await git.source.git("rev-list", "--count", "main"));
  let exported = 0;
  let worker = startWorker();
  for (let isPast = false; !isPast; exported += 1) {
    const doomed = worker;
    await doomed.firstLine;
    if (exported > 0) faults.order(/./, { kind: "before", run: async () => undefined }, exported);
    faults.order(/./, { kind: "after", run: () => doomed.end("SIGKILL") });
    const before = await commits();
    const local = await commitHere(store, repository, { ...README, text: `${exported}\n`, binary: `\0${exported}` });
    await expect.poll(async () => isEnded(doomed) || (await lastSynced()) === local, DEADLINE).toBe(true);
    isPast = faults.pending > 0;
    faults.clear();
    if (!isPast) {
      expect(await lastSynced()).not.toBe(local);
      worker = startWorker();
      await expect.poll(lastSynced, DEADLINE).toBe(local);
    }
    expect(await commits(), `killed after request ${exported}`).toBe(before + 1);
    expect(await git.resolve("refs/heads/main", "tree")).toBe((await store.reader(repository).readCommit(local)).tree);
  }
  await worker.end("SIGTERM");
  const { rows } = await database.query("SELECT status FROM runs WHERE status = 'success'");
  expect(rows).toHaveLength(exported);
  return exported;
}
