// A replica that is stopped by the system (SIGSTOP) inside the transaction of a publish holds the repository's lock. The
// database ends that transaction, so that others go on, and what the replica does when it wakes up changes nothing.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { startChildProgram } from "../support/child-program.ts";
import { createTestDatabase } from "../support/database.ts";
import { addRepository, openTestStore, publishSmallCommit } from "../support/git-store.ts";

const IDLE_MS = 2_000;
/** The exit code of a program whose transaction the database has ended. */
const ENDED_BY_DATABASE = 3;

/** A repository of one commit, and a program that is about to publish another one in a transaction that may idle for so long. */
async function openSleeper(stack: AsyncDisposableStack, idleMs: number) {
  const { url, database } = stack.use(await createTestDatabase());
  const cacheDir = await mkdtemp(join(tmpdir(), "coregit-paused-publish-"));
  stack.defer(() => rm(cacheDir, { recursive: true, force: true }));
  const repository = await addRepository(database);
  const { store } = stack.use(await openTestStore(database));
  const first = await publishSmallCommit(store, repository, { text: "first", expected: null });
  const settings = [url, cacheDir, repository.id, first, String(idleMs)];
  const sleeper = stack.use(startChildProgram("publish-and-wait.ts", settings));
  return { database, repository, store, first, sleeper };
}

it("a replica that sleeps inside a publish holds others up for a bounded time, and publishes nothing when it wakes up", async () => {
  await using stack = new AsyncDisposableStack();
  const { database, repository, store, first, sleeper } = await openSleeper(stack, IDLE_MS);
  expect(await sleeper.firstLine).toBe("publishing");
  process.kill(sleeper.pid, "SIGSTOP");

  const second = await publishSmallCommit(store, repository, { text: "second", expected: first });
  const third = await publishSmallCommit(store, repository, { text: "third", expected: second });
  process.kill(sleeper.pid, "SIGUSR2");
  process.kill(sleeper.pid, "SIGCONT");
  expect(await sleeper.exitCode).toBe(ENDED_BY_DATABASE);

  expect(await store.reader(repository).readRefs()).toEqual(new Map([["refs/heads/main", third]]));
  const { rows } = await database.query("SELECT old_oid, new_oid FROM reflog ORDER BY id");
  expect(rows).toEqual([
    { old_oid: null, new_oid: first },
    { old_oid: first, new_oid: second },
    { old_oid: second, new_oid: third },
  ]);
  expect((await database.query("SELECT FROM packs")).rowCount).toBe(3);
});

it("a replica that wakes up in time publishes, and who waited for it hears that the ref moved", async () => {
  await using stack = new AsyncDisposableStack();
  const { database, repository, store, first, sleeper } = await openSleeper(stack, 60_000);
  await sleeper.firstLine;
  process.kill(sleeper.pid, "SIGSTOP");
  const waiting = publishSmallCommit(store, repository, { text: "second", expected: first });
  const refused = expect(waiting).rejects.toMatchObject({ code: "RefMoved" });
  process.kill(sleeper.pid, "SIGUSR2");
  process.kill(sleeper.pid, "SIGCONT");
  expect(await sleeper.exitCode).toBe(0);
  await refused;
  expect((await database.query("SELECT FROM packs")).rowCount).toBe(2);
});
