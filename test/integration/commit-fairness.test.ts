// Commits on one branch by processes of which one always has the next commit ready, and the other has to look at the branch first.
import { test } from "vitest";
import { openPostgres } from "../../src/db/postgres.ts";
import { readChanges } from "../../src/domain/file-change.ts";
import type { CommitRequest } from "../../src/repositories/commit-request.ts";
import type { LocalRepositoryStore } from "../../src/repositories/open-repository-store.ts";
import type { Repository } from "../../src/repositories/store.ts";
import { createTestDatabase } from "../support/database.ts";
import { addRepository, openTestStore } from "../support/git-store.ts";
import { silentLogger } from "../support/silent-logger.ts";

const ADA = { name: "Ada", email: "ada@example.com", at: null };
/** Enough that a commit always waits for its turn. */
const WRITERS = 8;
const COMMITS = 12;

const signal = AbortSignal.timeout(60_000);

function write(branch: string, path: string, text: string): CommitRequest {
  const changes = readChanges([{ path, action: "put", content: text }]);
  const plain = { baseBranch: null, parentSha: null, message: "Write", allowEmpty: false, actor: "test" } as const;
  return { ...plain, branch, author: ADA, committer: ADA, changes };
}

/** Commits without a pause, each writer a file of its own, until it is disposed of. */
function keepBusy(store: LocalRepositoryStore, repository: Repository, branchOf: (writer: number) => string): AsyncDisposable {
  let isOver = false;
  const writers = Array.from({ length: WRITERS }, async (_, index) => {
    for (let round = 0; !isOver; round += 1) {
      await store.commit(repository, write(branchOf(index), `writer-${index}`, `${round}`), signal);
    }
  });
  const all = Promise.all(writers);
  all.catch(() => undefined);
  return {
    async [Symbol.asyncDispose]() {
      isOver = true;
      await all;
    },
  };
}

test("a process whose commits never wait is overtaken by another's now and then", async () => {
  await using test = await createTestDatabase();
  const repository = await addRepository(test.database);
  await using busy = await openTestStore(test.database);
  await using other = await openTestStore(test.database, { blobs: busy.blobs });
  await using _writers = keepBusy(busy.store, repository, () => "main");
  for (let round = 0; round < COMMITS; round += 1) {
    await other.store.commit(repository, write("main", "other", `${round}`), signal);
  }
});

test("also when all of its connections but one wait for others of its commits", async () => {
  await using test = await createTestDatabase();
  const repository = await addRepository(test.database);
  await using busy = await openTestStore(test.database);
  await using narrow = openPostgres({ url: test.url, logger: silentLogger, maxConnections: 2 });
  await using other = await openTestStore(narrow, { blobs: busy.blobs });
  await using _writers = keepBusy(busy.store, repository, () => "main");
  await using _others = keepBusy(other.store, repository, (writer) => `branch-${writer}`);
  for (let round = 0; round < 3; round += 1) {
    await other.store.commit(repository, write("main", "other", `${round}`), signal);
  }
});
