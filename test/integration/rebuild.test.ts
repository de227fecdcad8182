// The drill: what a repository is can be had again from the blob store and the rows alone.
import { rm } from "node:fs/promises";
import { expect, test } from "vitest";
import { createTestDatabase } from "../support/database.ts";
import { expectCleanRepository } from "../support/fsck.ts";
import { git } from "../support/git.ts";
import { addRepository, importHead, openTestStore, publishSmallCommit } from "../support/git-store.ts";
import { S3_SERVER_DEADLINE_MS } from "../support/s3-server.ts";
import { createSourceRepository, manyFiles } from "../support/source-repository.ts";
import { BLOB_STORES } from "../support/stored-packs.ts";

test.each(BLOB_STORES)(
  "with the cache deleted, a second process rebuilds every repository from rows and the blob store %s",
  async (_, openStore) => {
    await using stack = new AsyncDisposableStack();
    const { database } = stack.use(await createTestDatabase());
    const blobs = await openStore(stack, database);
    const source = stack.use(await createSourceRepository());
    const first = stack.use(await openTestStore(database, { blobs }));
    const repository = await addRepository(database);
    await source.commit(manyFiles(2_000));
    const main = await importHead(first.store, repository, source);
    const side = await publishSmallCommit(first.store, repository, { text: "side", expected: null, ref: "refs/heads/side" });
    const show = async (view: string) => ({
      refs: await git(["--git-dir", view, "for-each-ref"]),
      objects: await git(["--git-dir", view, "rev-list", "--objects", "--all"]),
    });
    const before = await show(await first.store.view(repository));

    await rm(first.cacheDir, { recursive: true, force: true });
    const second = stack.use(await openTestStore(database, { blobs }));
    const view = await second.store.view(repository);
    await expectCleanRepository(view);
    expect(await show(view)).toEqual(before);
    expect(await second.store.reader(repository).readRefs()).toEqual(
      new Map([
        ["refs/heads/main", main],
        ["refs/heads/side", side],
      ]),
    );
    // The first process, whose cache vanished under it, does the same.
    expect(await show(await first.store.view(repository))).toEqual(before);
  },
  S3_SERVER_DEADLINE_MS,
);
