// kill -9 of an exporting process around the one step that cannot be taken back: the remote's acceptance. A hook of the
// remote pulls the trigger, before the ref moves or after it, so that each instant is met for certain. Whatever was
// killed, the next worker ends with one commit for each state of the branch that was exported, and equal trees.
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
import { commitHere } from "../support/local-commit.ts";
import { installHook } from "../support/pushed-commit.ts";
import { QUIET_SPEC } from "../support/quiet-spec.ts";
import { silentLogger } from "../support/silent-logger.ts";
import { createSourceRepository } from "../support/source-repository.ts";
import type { SyncWorkerSettings } from "../support/sync-worker.ts";
import { serveSource } from "../support/test-remotes.ts";

const DEADLINE = { timeout: 30_000 };

/** Hooks in the order in which git runs them; the ref moves between `update` and `post-receive`. */
it.each(["pre-receive", "update", "post-receive"])(
  "a worker killed in %s leaves nothing undone and nothing done twice",
  async (hook) => {
    await using stack = new AsyncDisposableStack();
    const { url, database } = stack.use(await createTestDatabase());
    const folder = await mkdtemp(join(tmpdir(), "coregit-kill-"));
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    const packsDir = join(folder, "packs");
    const remote = stack.use(await createSourceRepository());
    const server = stack.use(await serveSource(remote));
    const blobs = stack.use(await openBlobStore({ kind: "file", directory: packsDir }, database));
    const shared = { database, clock: systemClock, logger: silentLogger };
    const cache = { cacheDir: join(folder, "here"), cacheMaxBytes: 1 << 30, limits: storeLimits(1 << 30) };
    const store = stack.use(await openRepositoryStore({ ...shared, blobs, ...cache }));
    const declarations = openDeclarations({ database, store, keys: [] });
    const sync = await declarations.declareSync({
      owner: { kind: "file", ref: "kill" },
      namespace: "default",
      name: "kill",
      repository: "kill",
      connection: null,
      spec: { ...QUIET_SPEC, direction: "export", branch: "main", remote: server.remoteUrl },
    });
    const repository = await store.find("default", "kill");
    if (repository === null) throw new Error("The repository was not made.");
    const start = (run: number) => {
      const settings: SyncWorkerSettings = {
        url,
        cacheDir: join(folder, "there"),
        packsDir,
        instanceId: `run-${run}`,
        isOnlyWorker: true,
      };
      return startChildProgram("sync-worker.ts", [JSON.stringify(settings)]);
    };
    const lastSynced = async () => (await declarations.readSync(sync.id))?.lastSyncedSha ?? null;

    const states = ["first", "second"];
    for (const [index, text] of states.entries()) {
      const local = await commitHere(store, repository, { file: text, [`only-${text}`]: text });
      {
        await using doomed = start(2 * index);
        await installHook(remote, hook, `kill -9 ${doomed.pid}`);
        await doomed.exitCode;
      }
      expect(await lastSynced()).not.toBe(local);
      await rm(join(remote.path, "hooks", hook));
      await using next = start(2 * index + 1);
      await expect.poll(lastSynced, DEADLINE).toBe(local);
      await next.end("SIGTERM");
      expect(await remote.git("rev-list", "--count", "main")).toBe(String(index + 1));
      expect(await remote.tree()).toBe((await store.reader(repository).readCommit(local)).tree);
    }
    const { rows } = await database.query("SELECT status FROM runs WHERE status = 'success'");
    expect(rows).toHaveLength(states.length);
    await remote.git("fsck", "--strict", "--full");
  },
  120_000,
);
