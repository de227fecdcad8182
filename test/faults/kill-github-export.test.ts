// kill -9 of a process that exports by GitHub's API, after each request that it makes has been done and before it can know. Whatever
// was killed, the next worker ends with equal trees and one commit for each state of the branch that was exported.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openBlobStore } from "../../src/blobs/open-blob-store.ts";
import { systemClock } from "../../src/domain/clock.ts";
import { openRepositoryStore } from "../../src/repositories/open-repository-store.ts";
import { storeLimits } from "../../src/repositories/store-options.ts";
import { openDeclarations } from "../../src/sync/open-declarations.ts";
import { startChildProgram } from "../support/child-program.ts";
import { createTestDatabase } from "../support/database.ts";
import type { ImportWorkerSettings } from "../support/import-worker.ts";
import { commitHere } from "../support/local-commit.ts";
import { startGitHub } from "../support/providers/github/start.ts";
import { QUIET_SPEC, TEST_KEYS } from "../support/quiet-spec.ts";
import { README } from "../support/served-remote.ts";
import { silentLogger } from "../support/silent-logger.ts";

const DEADLINE = { timeout: 30_000 };
const NAME = { owner: { kind: "file", ref: "kill" }, namespace: "default", name: "kill" } as const;

function isEnded(pid: number): boolean {
  try {
    return !process.kill(pid, 0);
  } catch {
    return true;
  }
}

it("a worker killed after any of its requests leaves nothing undone and nothing done twice", async () => {
  await using stack = new AsyncDisposableStack();
  const github = stack.use(await startGitHub());
  const remote = await github.addRepository("octocat/kill", { isPrivate: true, files: README });
  const { url, database } = stack.use(await createTestDatabase());
  const folder = await mkdtemp(join(tmpdir(), "coregit-kill-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const packsDir = join(folder, "packs");
  const blobs = stack.use(await openBlobStore({ kind: "file", directory: packsDir }, database));
  const shared = { database, clock: systemClock, logger: silentLogger };
  const cache = { cacheDir: join(folder, "here"), cacheMaxBytes: 1 << 30, limits: storeLimits(1 << 30) };
  const store = stack.use(await openRepositoryStore({ ...shared, blobs, ...cache }));
  const declarations = openDeclarations({ database, store, keys: TEST_KEYS });
  const credential = { kind: "token", token: github.addToken({ user: "octocat" }) } as const;
  const connection = { label: "kill", provider: "github", baseUrl: github.url, caPem: null, credential, error: null } as const;
  await declarations.declareConnection({ ...NAME, ...connection });
  const spec = { ...QUIET_SPEC, direction: "export", branch: "main", remote: "octocat/kill", transport: "api" } as const;
  const sync = await declarations.declareSync({ ...NAME, repository: "kill", connection: "kill", spec });
  const repository = await store.find("default", "kill");
  if (repository === null) throw new Error("The repository was not made.");
  let workers = 0;
  const start = () => {
    workers += 1;
    const settings: ImportWorkerSettings = {
      url,
      cacheDir: join(folder, "there"),
      packsDir,
      instanceId: `worker-${workers}`,
      isOnlyWorker: true,
    };
    return startChildProgram("import-worker.ts", [JSON.stringify(settings)]);
  };
  const lastSynced = async () => (await declarations.readSync(sync.id))?.lastSyncedSha ?? null;
  const commits = async () => Number(await remote.git.source.git("rev-list", "--count", "main"));

  let exported = 0;
  let worker = stack.adopt(start(), (last) => last.end("SIGKILL"));
  for (let isPast = false; !isPast; exported += 1) {
    const doomed = worker;
    await doomed.firstLine;
    if (exported > 0) github.faults.order(/./, { kind: "before", run: async () => undefined }, exported);
    github.faults.order(/./, { kind: "after", run: () => doomed.end("SIGKILL") });
    const before = await commits();
    const local = await commitHere(store, repository, { ...README, text: `${exported}\n`, binary: `\0${exported}` });
    await expect.poll(async () => isEnded(doomed.pid) || (await lastSynced()) === local, DEADLINE).toBe(true);
    isPast = github.faults.pending > 0;
    github.faults.clear();
    if (!isPast) {
      expect(await lastSynced()).not.toBe(local);
      worker = stack.adopt(start(), (last) => last.end("SIGKILL"));
      await expect.poll(lastSynced, DEADLINE).toBe(local);
    }
    expect(await commits(), `killed after request ${exported}`).toBe(before + 1);
    expect(await remote.git.resolve("refs/heads/main", "tree")).toBe((await store.reader(repository).readCommit(local)).tree);
  }
  await worker.end("SIGTERM");
  // The head, what the repository is, its state, a blob, a tree, the commit, the branch: it was killed after each.
  expect(exported).toBeGreaterThanOrEqual(7);
  const { rows } = await database.query("SELECT status FROM runs WHERE status = 'success'");
  expect(rows).toHaveLength(exported);
}, 120_000);
