// Commits that wait for one branch are made one on top of the other and published together.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Database } from "../../src/db/database.ts";
import { lockForPublishing } from "../../src/db/repositories.ts";
import { CoregitError } from "../../src/domain/errors.ts";
import { type ChangeEntry, readChanges } from "../../src/domain/file-change.ts";
import type { CommitRequest, CommitResult } from "../../src/repositories/commit-request.ts";
import type { Repository } from "../../src/repositories/store.ts";
import { countWaiting } from "../support/count-waiting.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { addRepository, openTestStore, type TestStore } from "../support/git-store.ts";
import { until } from "../support/until.ts";

const ADA = { name: "Ada", email: "ada@example.com", at: null };

let db: TestDatabase;
let opened: TestStore;
let repository: Repository;
let made = 0;
/** Called when the server has answered a publish. */
let afterPublish: () => void = () => undefined;

beforeAll(async () => {
  db = await createTestDatabase();
  const { database } = db;
  const watched: Database = {
    async query(text, values, preparedAs) {
      const result = await database.query<never>(text, values, preparedAs);
      if (preparedAs === "publish-chain" && result.rowCount > 0) afterPublish();
      return result;
    },
    transaction: (work) => database.transaction(work),
    listen: (channel, handlers) => database.listen(channel, handlers),
    isReachable: (timeoutMs) => database.isReachable(timeoutMs),
    [Symbol.asyncDispose]: async () => undefined,
  };
  opened = await openTestStore(watched);
});
afterAll(async () => {
  await opened[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
});
beforeEach(async () => {
  made += 1;
  afterPublish = () => undefined;
  repository = await addRepository(db.database, `chain-${made}`);
  await commit({ path: "start", content: "0\n" });
});

type Asked = Partial<CommitRequest> & { readonly signal?: AbortSignal };

function commit(
  change: Omit<ChangeEntry, "action"> & Partial<ChangeEntry>,
  { signal = AbortSignal.timeout(30_000), ...more }: Asked = {},
): Promise<CommitResult> {
  const changes = readChanges([{ action: "put", ...change }]);
  const plain = { branch: "main", baseBranch: null, parentSha: null, allowEmpty: false, actor: "test" } as const;
  return opened.store.commit(repository, { ...plain, message: "Write", author: ADA, committer: ADA, changes, ...more }, signal);
}

/** Asks for commits while one before them cannot be published yet, so that they wait together. */
async function whileOneWaits<T>(ask: () => readonly Promise<T>[]): Promise<readonly PromiseSettledResult<T>[]> {
  let first: Promise<CommitResult> | null = null;
  let asked: readonly Promise<T>[] = [];
  await db.database.transaction(async (tx) => {
    await lockForPublishing(tx, repository.id);
    first = commit({ path: "first", content: "1\n" });
    await until("the first one waits", async () => (await countWaiting(db.database)) > 0);
    asked = ask();
    for (const promise of asked) promise.catch(() => undefined);
    await new Promise(setImmediate);
  });
  await first;
  return await Promise.allSettled(asked);
}

async function reflog() {
  const sql = "SELECT old_oid, new_oid, reason FROM reflog WHERE repository_id = $1 ORDER BY id";
  return (await db.database.query<{ old_oid: string | null; new_oid: string; reason: string }>(sql, [repository.id])).rows;
}

async function countPacks(): Promise<number> {
  return (await db.database.query("SELECT FROM packs WHERE repository_id = $1", [repository.id])).rowCount;
}

const shas = (outcomes: readonly PromiseSettledResult<CommitResult>[]): readonly unknown[] =>
  outcomes.map((outcome) => (outcome.status === "fulfilled" ? outcome.value.sha : outcome.reason));

test("each has its line in the log, in the order in which they were asked for, and they share a pack", async () => {
  const names = Array.from({ length: 9 }, (_, index) => `file-${index}`);
  const outcomes = await whileOneWaits(() => names.map((path) => commit({ path, content: "x\n" }, { message: `Write ${path}` })));
  const log = await reflog();
  expect(log.slice(2).map(({ new_oid }) => new_oid)).toEqual(shas(outcomes));
  expect(log.slice(2).map(({ reason }) => reason)).toEqual(names.map((path) => `commit: Write ${path}`));
  for (const [index, { old_oid }] of log.entries()) expect(old_oid).toBe(log[index - 1]?.new_oid ?? null);
  expect(await countPacks()).toBe(3);
  const reader = opened.store.reader(repository);
  const head = await reader.readCommit((await reader.readRef("refs/heads/main")) as never);
  expect((await reader.readTree(head.tree)).map(({ name }) => name)).toEqual([...names, "first", "start"]);
});

test("one may edit what the one before it has written", async () => {
  const edits = [{ old_string: "one", new_string: "two" }];
  const outcomes = await whileOneWaits(() => [
    commit({ path: "text", content: "one\n" }),
    commit({ path: "text", action: "edit", edits }),
    commit({ path: "text", action: "rename", new_path: "moved" }),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "fulfilled"]);
  const reader = opened.store.reader(repository);
  const head = await reader.readCommit(shas(outcomes)[2] as never);
  const moved = (await reader.readTree(head.tree)).find(({ name }) => name === "moved");
  expect(Buffer.from(await reader.readBlob(moved?.oid as never)).toString()).toBe("two\n");
});

test("what cannot be put on top is refused with the head that is published, and the others land", async () => {
  const left = new AbortController();
  const before = await opened.store.reader(repository).readRef("refs/heads/main");
  const outcomes = await whileOneWaits(() => {
    const asked = [
      commit({ path: "a", content: "a\n" }),
      commit({ path: "b", content: "b\n" }, { parentSha: before }),
      commit({ path: "c", content: "c\n" }),
      commit({ path: "a", content: "a\n" }),
      commit({ path: "d", content: "d\n" }, { signal: left.signal }),
      commit({ path: "e", content: "e\n" }),
    ];
    left.abort(new Error("The client has gone."));
    return asked;
  });
  const log = await reflog();
  expect(outcomes).toMatchObject([
    { status: "fulfilled" },
    { reason: { code: "RefMoved", details: { head_sha: expect.stringMatching(/^[0-9a-f]{40}$/) } } },
    { status: "fulfilled" },
    { reason: { code: "NothingToCommit" } },
    { reason: { message: "The client has gone." } },
    { status: "fulfilled" },
  ]);
  const landed = shas(outcomes).filter((outcome) => typeof outcome === "string");
  expect(log.slice(2).map(({ new_oid }) => new_oid)).toEqual(landed);
});

test("where it is not known what became of them, each is told so and none is made twice", async () => {
  const lost = new CoregitError("DatabaseUnavailable", "The connection broke.");
  afterPublish = () => {
    throw lost;
  };
  const names = ["a", "b", "c", "d"];
  const outcomes = await whileOneWaits(() => names.map((path) => commit({ path, content: "x\n" }, { message: path })));
  expect(shas(outcomes)).toEqual([lost, lost, lost, lost]);
  expect((await reflog()).slice(2).map(({ reason }) => reason)).toEqual(names.map((name) => `commit: ${name}`));
  const after = await commit({ path: "after", content: "x\n" });
  expect(after.previous).toBe((await reflog())[5]?.new_oid);
});
