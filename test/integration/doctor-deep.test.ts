// `coregit doctor --deep`, as it is run: a process of its own, on repositories that are sound and on such that are not.
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { openBlobStore } from "../../src/blobs/open-blob-store.ts";
import { connectPostgres } from "../../src/db/postgres.ts";
import { findRunningPostgres } from "../../src/standalone/running-postgres.ts";
import { createTestDatabase } from "../support/database.ts";
import { doctor } from "../support/doctor.ts";
import { freePorts } from "../support/free-ports.ts";
import { addRepository, importHead, openTestStore, publishSmallCommit } from "../support/git-store.ts";
import { startProgram } from "../support/running-program.ts";
import { silentLogger } from "../support/silent-logger.ts";
import { createSourceRepository } from "../support/source-repository.ts";
import { flipBit, listKeys } from "../support/stored-packs.ts";
import { until } from "../support/until.ts";

const MAIN = join(import.meta.dirname, "../../src/main.ts");

/** Two starts of a standalone and three of the doctor, on a busy machine. */
const DEADLINE_MS = 180_000;

async function temporaryFolder(stack: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "coregit-doctor-test-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Repository `site`: an import in the blob store, a moved branch, a reflog. Repository `empty`: nothing. */
async function openWorld(stack: AsyncDisposableStack) {
  const { database, url } = stack.use(await createTestDatabase());
  const folder = await temporaryFolder(stack);
  const directory = join(folder, "packs");
  const blobs = stack.use(await openBlobStore({ kind: "file", directory }, database));
  const source = stack.use(await createSourceRepository());
  const world = await openTestStore(database, { blobs, limits: { inlinePackBytes: 0 } });
  const site = await addRepository(database);
  await addRepository(database, "empty");
  await source.commit({ "a.txt": "a\n".repeat(100), "b/c.txt": "c" });
  await importHead(world.store, site, source);
  const first = await publishSmallCommit(world.store, site, { text: "1", expected: null, ref: "refs/heads/b" });
  await publishSmallCommit(world.store, site, { text: "2", expected: first, ref: "refs/heads/b" });
  await world[Symbol.asyncDispose]();
  const dataDir = join(folder, "data");
  const env = { COREGIT_DATABASE_URL: url, COREGIT_BLOB_STORE: pathToFileURL(directory).href, COREGIT_DATA_DIR: dataDir };
  return { database, blobs, site, first, env, dataDir };
}

test("sound repositories take a line each with their sizes, and nothing is left behind", async () => {
  await using stack = new AsyncDisposableStack();
  const { env, dataDir } = await openWorld(stack);
  const { code, out } = await doctor(["--deep"], env);
  expect(out).toMatch(/^ok {4}default\/empty: 0 packs, 0 bytes, 0 objects, 0 refs$/m);
  expect(out).toMatch(/^ok {4}default\/site: 4 packs, [1-9]\d* bytes, [1-9]\d* objects, 2 refs$/m);
  expect(code).toBe(0);
  expect(await readdir(join(dataDir, "cache", "doctor"))).toEqual([]);
  const one = await doctor(["--deep", "site"], env);
  expect(one).toMatchObject({ code: 0, out: expect.not.stringContaining("default/empty") });
  expect(await doctor(["--deep", "team/site"], env)).toMatchObject({
    code: 1,
    err: expect.stringContaining("There is no repository team/site."),
  });
});

test("a flipped bit, a lost blob and rows that lead nowhere are named with repository and pack or object, and end with 1", async () => {
  await using stack = new AsyncDisposableStack();
  const { database, blobs, site, first, env } = await openWorld(stack);
  const [idx = "", pack = "", other = ""] = await listKeys(blobs);
  const idOf = (key: string) => /pack_\w+/.exec(key)?.[0];
  const nowhere = "1".repeat(40);
  await database.query("INSERT INTO refs (repository_id, name, oid) VALUES ($1, 'refs/heads/lost', $2)", [site.id, nowhere]);
  const lost = await doctor(["--deep"], env);
  expect(lost.out).toContain(
    `FAIL  default/site: Missing objects: ${nowhere}, which the ref refs/heads/lost needs, is not stored.`,
  );
  expect(lost.out).toContain("ok    default/empty: ");
  expect(lost.code).toBe(1);
  await database.query("DELETE FROM refs WHERE name = 'refs/heads/lost'");

  await flipBit(blobs, pack);
  await blobs.delete(other);
  const damaged = await doctor(["--deep"], env);
  expect(damaged.code).toBe(1);
  expect(damaged.out).toContain(`${idOf(idx)} (its data does not have the bytes that were published)`);
  expect(damaged.out).toContain(`${idOf(other)} (its index is missing)`);

  // A pack that is not known any more: what the old position of the branch needs is gone, although no ref leads there.
  await database.query("DELETE FROM packs WHERE pack_bytes IS NULL");
  await database.query("DELETE FROM refs WHERE name = 'refs/heads/main'");
  await database.query("DELETE FROM reflog WHERE ref = 'refs/heads/main'");
  expect((await doctor(["--deep"], env)).code).toBe(0);
  await database.query(
    "DELETE FROM packs WHERE id = (SELECT id FROM packs WHERE repository_id = $1 ORDER BY created_at LIMIT 1)",
    [site.id],
  );
  const forgotten = await doctor(["--deep"], env);
  expect(forgotten.code).toBe(1);
  expect(forgotten.out).toContain(`${first}, which the reflog of refs/heads/b needs, is not stored`);
});

test("a commit whose tree is in no pack is named by git's own check", async () => {
  await using stack = new AsyncDisposableStack();
  const { database, env } = await openWorld(stack);
  await database.query("DELETE FROM packs WHERE pack_bytes IS NULL AND object_count > 1");
  const { code, out } = await doctor(["--deep", "site"], env);
  expect(out).toMatch(/^FAIL {2}default\/site: git fsck found: .*broken link from +commit [0-9a-f]{40} to +tree [0-9a-f]{40}/m);
  expect(code).toBe(1);
});

test("what the scrub found is told by every doctor", async () => {
  await using stack = new AsyncDisposableStack();
  const { database, env } = await openWorld(stack);
  expect((await doctor([], env)).out).toContain("ok    packs: none is known to be damaged\n");
  const { rows } = await database.query<{ id: string }>(
    "UPDATE packs SET damage = 'Its data is missing.' WHERE id = (SELECT min(id) FROM packs) RETURNING id",
  );
  const { code, out } = await doctor([], env);
  expect(code).toBe(1);
  expect(out).toContain(`FAIL  packs: 1 are damaged. ${rows[0]?.id} of default/site: Its data is missing.`);
});

test(
  "a standalone is checked while it runs and when it is stopped, and before its first start there is nothing",
  async () => {
    await using stack = new AsyncDisposableStack();
    const dataDir = join(await temporaryFolder(stack), "data");
    const env = { COREGIT_DATA_DIR: dataDir };
    const before = await doctor(["--deep"], env);
    expect(before).toMatchObject({ code: 0, out: expect.stringContaining("ok    repositories: none; no standalone") });

    const [port] = await freePorts(1);
    {
      const args = [MAIN, "standalone", "--data-dir", dataDir, "--listen", `127.0.0.1:${port}`];
      await using _standalone = startProgram(process.execPath, { args, logPath: `${dataDir}.log` });
      await until(
        "standalone is ready",
        () =>
          fetch(`http://127.0.0.1:${port}/readyz`).then(
            ({ ok }) => ok,
            () => false,
          ),
        60_000,
      );
      const url = (await findRunningPostgres(dataDir)) ?? "";
      await using database = await connectPostgres({ url, logger: silentLogger });
      await using blobs = await openBlobStore({ kind: "file", directory: join(dataDir, "packs") }, database);
      await using world = await openTestStore(database, { blobs });
      await publishSmallCommit(world.store, await addRepository(database), { text: "1", expected: null });
      const running = await doctor(["--deep"], env);
      expect(running.out).toContain("ok    database: reachable, schema current\n");
      expect(running).toMatchObject({ code: 0, out: expect.stringMatching(/^ok {4}default\/site: 1 packs/m) });
    }
    const stopped = await doctor(["--deep", "--data-dir", dataDir], {});
    expect(stopped).toMatchObject({ code: 0, out: expect.stringMatching(/^ok {4}default\/site: 1 packs/m) });
    expect(await findRunningPostgres(dataDir)).toBeNull();
  },
  DEADLINE_MS,
);
