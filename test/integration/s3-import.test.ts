// An import whose packs lie in an S3 bucket, and a replica that reads them from there.
import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBlobStore } from "../../src/blobs/open-blob-store.ts";
import type { BlobStoreSetting, S3Setting } from "../../src/config/config.ts";
import { parseConfig } from "../../src/config/parse-config.ts";
import { reachabilityChecks } from "../../src/doctor.ts";
import { createTestDatabase } from "../support/database.ts";
import { openTestStore } from "../support/git-store.ts";
import { type S3Proxy, startS3Proxy } from "../support/s3-proxy.ts";
import { S3_SERVER_DEADLINE_MS, type S3Server, startS3Server } from "../support/s3-server.ts";
import { createSourceRepository, manyFiles } from "../support/source-repository.ts";
import { openSyncWorld } from "../support/sync-world.ts";
import { deadline, serveSource } from "../support/test-remotes.ts";

const owned = new AsyncDisposableStack();
let server: S3Server;
let proxy: S3Proxy;
let setting: S3Setting;

beforeAll(async () => {
  server = owned.use(await startS3Server());
  proxy = owned.use(await startS3Proxy(server.port));
  setting = { ...(await server.createBucket()), endpoint: `http://127.0.0.1:${proxy.port}`, prefix: "packs" };
}, S3_SERVER_DEADLINE_MS);
afterAll(() => owned.disposeAsync());

test("an import puts its pack into the bucket, and a replica with an empty cache reads it from there, or refuses wrong bytes", async () => {
  await using source = await createSourceRepository();
  await using git = await serveSource(source);
  await source.commit(manyFiles(2_000));
  await using world = await openSyncWorld(undefined, setting);
  const engine = await world.startEngine();
  const status = await world.settle(engine, await world.declare(git.remoteUrl));
  expect(status).toMatchObject({ lastError: null, lastRun: { status: "success", added: 2_000 } });

  // A way to the server that only the replica takes.
  await using way = await startS3Proxy(server.port);
  await using blobs = await openBlobStore({ ...setting, endpoint: `http://127.0.0.1:${way.port}` }, world.database);
  const packs: string[] = [];
  for await (const { key } of blobs.list("")) packs.push(key.replace(/^repo_[^/]+\/pack_[^.]+/, "repository/pack"));
  expect(packs).toEqual(["repository/pack.idx", "repository/pack.pack"]);

  const repository = await world.repository();
  await using replica = await openTestStore(world.database, { blobs });
  way.order(/^GET .*\.pack/, { kind: "flipAnswerBit" });
  await expect(replica.store.view(repository)).rejects.toMatchObject({ code: "StorageCorrupt" });
  way.order(/^GET .*\.pack/, { kind: "halfBody", end: "broken" });
  const reader = replica.store.reader(repository);
  const head = await reader.resolveCommit("main");
  expect((await reader.readCommit(head)).tree).toBe(await source.tree());
  expect(head).toBe(await world.head());
});

test("the doctor says what it found, and what is wrong", async () => {
  await using db = await createTestDatabase();
  const { config } = parseConfig({
    command: "api",
    environment: {
      COREGIT_DATABASE_URL: db.url,
      COREGIT_ENCRYPTION_KEY: randomBytes(32).toString("base64"),
      COREGIT_MASTER_KEY: "cgk_live_0123456789abcdef",
      COREGIT_BLOB_STORE: `s3://${setting.bucket}/packs?endpoint=${setting.endpoint}&forcePathStyle=true`,
    },
    flags: {},
    workingDirectory: tmpdir(),
    isTty: false,
  });
  const run = async (blobStore: BlobStoreSetting) =>
    (await reachabilityChecks({ ...config, blobStore })).find(({ name }) => name === "blob store")?.run(deadline());
  expect(await run(config.blobStore)).toBe(`s3://${setting.bucket}/packs?endpoint=${setting.endpoint}`);
  await expect(run({ ...setting, bucket: "missing" })).rejects.toThrow("there is no such bucket (NoSuchBucket)");
});

test("an import waits for a bucket that is overloaded, and then finishes", async () => {
  await using source = await createSourceRepository();
  await using git = await serveSource(source);
  await source.commit(manyFiles(2_000));
  await using world = await openSyncWorld(undefined, setting);
  const engine = await world.startEngine();
  proxy.order(/^PUT .*\.pack/, { kind: "answer", status: 503, code: "SlowDown" }, 4);
  const failed = await world.settle(engine, await world.declare(git.remoteUrl));
  expect(failed.lastError).toContain("the server is overloaded (SlowDown)");
  expect(await world.head()).toBeNull();
  await world.triggers.ask(failed.id, {});
  expect(await world.settle(engine, failed)).toMatchObject({ lastError: null, lastRun: { status: "success" } });
  expect(await world.tree()).toBe(await source.tree());
});
