// The S3 store when the network or the server misbehaves, and what it says about a setting that cannot work.
import { randomBytes } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { S3 } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { BlobStore } from "../../src/blobs/blob-store.ts";
import { openS3BlobStore } from "../../src/blobs/s3/open-s3-blob-store.ts";
import type { S3Setting } from "../../src/config/config.ts";
import { changedEnvironment } from "../support/changed-environment.ts";
import { type S3Fault, type S3Proxy, startS3Proxy } from "../support/s3-proxy.ts";
import { S3_SERVER_DEADLINE_MS, type S3Server, startS3Server } from "../support/s3-server.ts";

const MIB = 1024 * 1024;
const DAY_MS = 24 * 60 * 60 * 1000;
const LIMITS = { attempts: 3, connectMs: 1_000, answerMs: 1_500, silenceMs: 800 };
const ROOMY = { ...LIMITS, answerMs: 20_000, silenceMs: 5_000 };
const OVERLOADED: S3Fault = { kind: "answer", status: 503, code: "SlowDown" };
const UNAVAILABLE = { code: "StorageUnavailable" };

const owned = new AsyncDisposableStack();
let server: S3Server;
let proxy: S3Proxy;
let setting: S3Setting;
let store: BlobStore;

beforeAll(async () => {
  server = owned.use(await startS3Server());
}, S3_SERVER_DEADLINE_MS);
afterAll(() => owned.disposeAsync());

beforeEach(async () => {
  await using stack = new AsyncDisposableStack();
  proxy = stack.use(await startS3Proxy(server.port));
  setting = { ...(await server.createBucket()), endpoint: `http://127.0.0.1:${proxy.port}`, prefix: "coregit" };
  store = stack.use(await openS3BlobStore(setting, { limits: ROOMY }));
  const moved = stack.move();
  return () => moved.disposeAsync();
});

describe("a put", () => {
  const small = randomBytes(3000);
  const large = randomBytes(17 * MIB);

  test.each<[string, Buffer, RegExp, S3Fault]>([
    ["loses its connection", small, /^PUT/, { kind: "reset" }],
    ["loses the answer to its success", small, /^PUT/, { kind: "loseAnswer" }],
    ["meets an overloaded server", small, /^PUT/, OVERLOADED],
    ["is told of a conflict", small, /^PUT/, { kind: "answer", status: 409, code: "ConditionalRequestConflict" }],
    ["loses the connection of a part", large, /partNumber=2/, { kind: "reset" }],
    ["loses the answer to a part", large, /partNumber=3/, { kind: "loseAnswer" }],
    ["loses the answer to its completion", large, /^POST.*uploadId=/, { kind: "loseAnswer" }],
    ["meets an overloaded server at its completion", large, /^POST.*uploadId=/, OVERLOADED],
  ])("that %s is repeated and stores the bytes", async (_case, bytes, matching, fault) => {
    proxy.order(matching, fault);
    await store.put("some/key", pieces(bytes), bytes.length);
    expect((await read("some/key")).equals(bytes)).toBe(true);
    expect(await uploads()).toEqual([]);
  });

  test("whose bytes change on the way is refused by the server", async () => {
    proxy.order(/^PUT/, { kind: "flipRequestBit" }, 3);
    await expect(store.put("changed", pieces(small), small.length)).rejects.toMatchObject(UNAVAILABLE);
    expect(await store.size("changed")).toBeNull();
    proxy.order(/partNumber=2/, { kind: "flipRequestBit" }, 3);
    await expect(store.put("changed", pieces(large), large.length)).rejects.toMatchObject(UNAVAILABLE);
    expect(await store.size("changed")).toBeNull();
  });

  test("that cannot be finished leaves neither a blob nor an upload, after a bounded number of requests", async () => {
    proxy.order(/partNumber=2/, OVERLOADED, LIMITS.attempts);
    await expect(store.put("half", pieces(large), large.length)).rejects.toThrow("the server is overloaded (SlowDown)");
    expect(proxy.requests.filter((line) => line.includes("partNumber=2"))).toHaveLength(LIMITS.attempts);
    expect(await store.size("half")).toBeNull();
    expect(await uploads()).toEqual([]);
  });

  test.each([
    ["ends early", large.length - 1],
    ["goes on too long", large.length + 1],
  ])("whose source %s leaves neither a blob nor an upload", async (_case, length) => {
    const put = store.put("wrong/size", pieces(Buffer.alloc(length)), large.length);
    await expect(put).rejects.toMatchObject({ code: "StorageCorrupt" });
    expect(await store.size("wrong/size")).toBeNull();
    expect(await uploads()).toEqual([]);
  });

  test("of many bytes that is finished second keeps those of the first", async () => {
    const first = randomBytes(large.length);
    const late = async function* () {
      yield large.subarray(0, 9 * MIB);
      await store.put("both", pieces(first), first.length);
      yield large.subarray(9 * MIB);
    };
    await store.put("both", late(), large.length);
    expect((await read("both")).equals(first)).toBe(true);
    expect(await uploads()).toEqual([]);
  });

  test("whose upload has gone when it is completed again was stored if the key is there, and only then", async () => {
    const gone: S3Fault = { kind: "answer", status: 404, code: "NoSuchUpload" };
    proxy.order(/^POST.*uploadId=/, gone);
    await expect(store.put("gone", pieces(large), large.length)).rejects.toMatchObject(UNAVAILABLE);
    expect(await store.size("gone")).toBeNull();
    proxy.order(/^POST.*uploadId=/, { kind: "loseAnswer" });
    proxy.order(/^POST.*uploadId=/, gone);
    await store.put("gone", pieces(large), large.length);
    expect((await read("gone")).equals(large)).toBe(true);
  });

  test("whose outcome stayed unknown can be made again", async () => {
    proxy.order(/^PUT/, { kind: "loseAnswer" }, LIMITS.attempts);
    await expect(store.put("unknown", pieces(small), small.length)).rejects.toMatchObject(UNAVAILABLE);
    await store.put("unknown", pieces(small), small.length);
    expect((await read("unknown")).equals(small)).toBe(true);
  });

  test("that is aborted while the server is silent ends with the caller's reason and leaves nothing", async () => {
    const abort = new AbortController();
    proxy.order(/partNumber=1/, { kind: "stall" });
    const put = store.put("aborted", pieces(large), large.length, abort.signal);
    await expect.poll(() => proxy.requests.some((line) => line.includes("partNumber=1"))).toBe(true);
    abort.abort(new Error("No longer wanted."));
    await expect(put).rejects.toThrow("No longer wanted.");
    expect(await store.size("aborted")).toBeNull();
    expect(await uploads()).toEqual([]);
  });

  test("of many bytes under a key that is there sends none of them", async () => {
    await store.put("there", pieces(large), large.length);
    const before = proxy.requests.length;
    await store.put("there", pieces(large), large.length);
    expect(proxy.requests.slice(before)).toEqual([`HEAD /${setting.bucket}/coregit/there`]);
  });

  test("says that the bucket has gone, as everything does, and not that a key is missing", async () => {
    await rm(server.folderOf(setting.bucket), { recursive: true });
    const complaint = "there is no such bucket (NoSuchBucket)";
    await expect(store.size("some/key")).rejects.toThrow(complaint);
    await expect(read("some/key")).rejects.toThrow(complaint);
    await expect(keys("")).rejects.toThrow(complaint);
    await expect(store.delete("some/key")).rejects.toThrow(complaint);
    await expect(store.put("some/key", pieces(large), large.length)).rejects.toThrow(complaint);
  });
});

describe("a get", () => {
  const bytes = randomBytes(4 * MIB + 3);
  beforeEach(() => store.put("blob", pieces(bytes), bytes.length));

  test.each<[string, S3Fault]>([
    ["breaks off", { kind: "halfBody", end: "broken" }],
    ["loses its connection", { kind: "reset" }],
    ["meets an overloaded server", OVERLOADED],
  ])("that %s goes on where it stopped", async (_case, fault) => {
    proxy.order(/^GET/, fault, 2);
    expect((await read("blob")).equals(bytes)).toBe(true);
    proxy.order(/^GET/, fault, 2);
    expect((await read("blob", { start: 5, end: 3 * MIB })).equals(bytes.subarray(5, 3 * MIB))).toBe(true);
  });

  test("that is broken off again and again fails", async () => {
    proxy.order(/^GET/, { kind: "halfBody", end: "broken" }, LIMITS.attempts);
    await expect(read("blob")).rejects.toMatchObject(UNAVAILABLE);
  });

  test("gives up a silent server within its deadline, and a silent body goes on with another request", async () => {
    await using hasty = await openS3BlobStore(setting, { limits: LIMITS });
    proxy.order(/^GET/, { kind: "stall" }, LIMITS.attempts);
    await expect(read("blob", {}, hasty)).rejects.toThrow("the server does not answer in time");
    proxy.order(/^GET/, { kind: "halfBody", end: "silent" }, 2);
    expect((await read("blob", {}, hasty)).equals(bytes)).toBe(true);
  });

  test("leaves a reader all the time it wants", async () => {
    await using hasty = await openS3BlobStore(setting, { limits: LIMITS });
    const parts: Uint8Array[] = [];
    for await (const part of hasty.get("blob")) {
      // The deadlines run in the SDK and in timers of this process, so this one has to be real.
      if (parts.length === 0) await pause(1.5 * LIMITS.silenceMs);
      parts.push(part);
    }
    expect(Buffer.concat(parts).equals(bytes)).toBe(true);
    expect(proxy.requests.filter((line) => line.startsWith("GET") && line.includes("/blob"))).toHaveLength(1);
  });

  test("that is left early closes its connection", async () => {
    for await (const _part of store.get("blob")) break;
    expect((await read("blob")).equals(bytes)).toBe(true);
  });
});

test("lists more keys than an answer has", async () => {
  const names = Array.from({ length: 1_003 }, (_, index) => `n${String(index).padStart(4, "0")}`);
  await store.put("n0000", pieces(Buffer.from("x")), 1);
  const folder = join(server.folderOf(setting.bucket), "coregit");
  for (const name of names.slice(1)) await writeFile(join(folder, name), "x");
  expect(await keys("")).toEqual(names);
  expect(await keys("n01")).toHaveLength(100);
});

test("uploads of processes that died are removed when the store is opened a day later, and not before", async () => {
  const client = rawClient();
  const begin = (Key: string) => client.createMultipartUpload({ Bucket: setting.bucket, Key });
  await begin("coregit/left/over");
  await begin("elsewhere/left/over");
  await (await openS3BlobStore(setting))[Symbol.asyncDispose]();
  expect(await uploads()).toEqual(["coregit/left/over", "elsewhere/left/over"]);
  const tomorrow = Date.now() + DAY_MS + 60_000;
  await (await openS3BlobStore(setting, { clock: { now: () => tomorrow, monotonic: () => 0 } }))[Symbol.asyncDispose]();
  expect(await uploads()).toEqual(["elsewhere/left/over"]);
});

describe("opening and checking name what is wrong", () => {
  const open = (change: Partial<S3Setting>) => openS3BlobStore({ ...setting, ...change }, { limits: LIMITS });

  test("a bucket that is not there", async () => {
    await expect(open({ bucket: "missing" })).rejects.toThrow(
      `The blob store s3://missing/coregit?endpoint=${setting.endpoint} of COREGIT_BLOB_STORE cannot be used: there is no such bucket (NoSuchBucket).`,
    );
  });

  test("a server that is not there", async () => {
    await expect(open({ endpoint: "http://127.0.0.1:1" })).rejects.toThrow("its server cannot be reached (ECONNREFUSED)");
  });

  test.each([
    ["AWS_SECRET_ACCESS_KEY", "wrong", "the credentials are refused (SignatureDoesNotMatch)"],
    ["AWS_ACCESS_KEY_ID", "unknown", "the server answered 404 (XAdminUserNotFound)"],
    ["AWS_ACCESS_KEY_ID", "", "no credentials were found"],
  ])("%s=%j", async (name, value, expected) => {
    using _changed = changedEnvironment({ [name]: value, AWS_EC2_METADATA_DISABLED: "true" });
    const failure: unknown = await open({}).catch((error: unknown) => error);
    expect(failure).toMatchObject(UNAVAILABLE);
    expect(String(failure)).toContain(expected);
    expect(String(failure)).not.toContain(process.env.AWS_SECRET_ACCESS_KEY || "wrong");
  });

  test("no region", async () => {
    using _changed = changedEnvironment({ AWS_REGION: "", AWS_CONFIG_FILE: "/dev/null" });
    await expect(open({ endpoint: null })).rejects.toThrow("has no region: add region= to it, or set AWS_REGION.");
  });

  test.each([
    [403, "InvalidAccessKeyId", "the credentials are refused (InvalidAccessKeyId)"],
    [403, "AccessDenied", "the credentials lack a permission; docs/storage.md lists what is needed (AccessDenied)"],
    [301, "PermanentRedirect", "the bucket is in another region; name it with region= (PermanentRedirect)"],
    [501, "NotImplemented", "the server lacks a function of S3 that the store needs (NotImplemented)"],
  ])("an answer of %d %s", async (status, code, expected) => {
    proxy.order(/^PUT/, { kind: "answer", status, code });
    await expect(open({})).rejects.toThrow(expected);
    proxy.order(/^GET/, { kind: "answer", status, code });
    await expect(store.check()).rejects.toThrow(expected);
    await expect(store.check()).resolves.toBeUndefined();
  });

  test("a server that lets a key be written twice", async () => {
    proxy.order(/^PUT/, { kind: "answer", status: 200, code: "" }, 2);
    await expect(open({})).rejects.toThrow("does not heed If-None-Match");
  });
});

async function* pieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000);
}

async function read(key: string, range: { start?: number; end?: number } = {}, from: BlobStore = store): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of from.get(key, { start: 0, ...range })) parts.push(part);
  return Buffer.concat(parts);
}

async function keys(prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of store.list(prefix)) found.push(key);
  return found;
}

/** Past the proxy and the store. */
function rawClient(): S3 {
  return new S3({ endpoint: `http://127.0.0.1:${server.port}`, region: "us-east-1", forcePathStyle: true });
}

/** Keys of the uploads in the bucket that are not finished. */
async function uploads(): Promise<(string | undefined)[]> {
  const { Uploads = [] } = await rawClient().listMultipartUploads({ Bucket: setting.bucket });
  return Uploads.map(({ Key }) => Key).toSorted();
}
