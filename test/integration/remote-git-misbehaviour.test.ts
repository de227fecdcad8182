// Servers that refuse, lie, stall, break off or never end: each costs one call its failure, in bounded time and memory.
import { createHash } from "node:crypto";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Oid } from "../../src/domain/oid.ts";
import type { Fault } from "../support/git-http-faults.ts";
import { createSourceRepository, type SourceRepository } from "../support/source-repository.ts";
import { deadline, failureOf, fetchWhole, openTestRemotes, serveSource } from "../support/test-remotes.ts";

const ANNOUNCEMENT = "application/x-git-upload-pack-advertisement";
const RESULT = "application/x-git-upload-pack-result";
const NOW = 1_800_000_000_000;

let source: SourceRepository;
let oid: Oid;

/** Text that does not compress, the same in each run. */
function noise(bytes: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(bytes / 64) }, (_, index) => createHash("sha512").update(`${index}`).digest());
  return Buffer.concat(blocks).subarray(0, bytes);
}

beforeAll(async () => {
  source = await createSourceRepository();
  oid = await source.commit({ "a.bin": noise(2_000_000) });
});

afterAll(async () => {
  await source[Symbol.asyncDispose]();
});

/** What reading the head fails with when every request is answered with the fault. */
async function headFailure(fault: Fault) {
  await using server = await serveSource(source);
  await using remotes = openTestRemotes({
    limits: { headersMs: 300, silenceMs: 300, lowSpeedMs: 500, refsBytes: 1_000_000 },
    clock: { now: () => NOW, monotonic: () => performance.now() },
  });
  server.fault = () => fault;
  await using remote = remotes.open(server.remoteUrl);
  try {
    await remote.readHead("main", deadline());
  } catch (error) {
    return { error, sentBytes: server.requests.at(-1)?.sentBytes ?? 0, calls: remote.calls };
  }
  throw new Error("It did not fail.");
}

describe("a server that answers", () => {
  test.each<[number, string]>([
    [400, "RemoteProtocol"],
    [401, "AuthenticationFailed"],
    [403, "AccessDenied"],
    [404, "RemoteNotFound"],
    [410, "RemoteNotFound"],
    [429, "RateLimited"],
    [500, "RemoteUnreachable"],
    [502, "RemoteUnreachable"],
    [503, "RemoteUnreachable"],
    [204, "RemoteProtocol"],
  ])("HTTP %i is understood", async (status, code) => {
    const { error } = await headFailure({ kind: "status", status });
    expect(error).toMatchObject({ code, message: expect.stringContaining("127.0.0.1") });
  });

  test.each<[number, string | undefined, number]>([
    [429, "7", 7000],
    [503, "120", 120_000],
    [403, "60", 60_000],
    [429, new Date(NOW + 90_000).toUTCString(), 90_000],
    [429, undefined, 60_000],
    [429, "99999999999999", 24 * 3600 * 1000],
    [429, "-5", 0],
    [429, "soon", 60_000],
  ])("HTTP %i with Retry-After %s says when to come again", async (status, value, waitMs) => {
    const { error } = await headFailure({ kind: "status", status, headers: value === undefined ? {} : { "retry-after": value } });
    expect(error).toMatchObject({ code: "RateLimited", retryAtMs: NOW + waitMs });
  });

  test.each<[string, Fault, string, RegExp]>([
    ["a web page", { kind: "page" }, "RemoteProtocol", /text\/html.*web page/],
    [
      "as plain files",
      { kind: "body", contentType: "text/plain", chunks: [Buffer.from(`${"a".repeat(40)}\trefs/heads/main\n`)] },
      "RemoteUnsupported",
      /dumb HTTP/,
    ],
    [
      "a page that says it is git",
      { kind: "body", contentType: ANNOUNCEMENT, chunks: [Buffer.from("<html>")] },
      "RemoteProtocol",
      /"<htm"/,
    ],
    [
      "a length that lies",
      { kind: "body", contentType: ANNOUNCEMENT, chunks: [Buffer.from("ffffversion 2\n")] },
      "RemoteProtocol",
      /"ffff"/,
    ],
    ["nothing at all", { kind: "body", contentType: ANNOUNCEMENT, chunks: [] }, "RemoteProtocol", /ended/],
    [
      "half a packet",
      { kind: "body", contentType: ANNOUNCEMENT, chunks: [Buffer.from("0100version")] },
      "RemoteProtocol",
      /ended/,
    ],
    [
      "compressed without being asked",
      { kind: "body", contentType: ANNOUNCEMENT, chunks: [], headers: { "content-encoding": "gzip" } },
      "RemoteProtocol",
      /compressed/,
    ],
    ["with a reset", { kind: "reset" }, "RemoteUnreachable", /broke off/],
    [
      "with headers beyond measure",
      { kind: "status", status: 200, headers: { "x-long": "x".repeat(60_000) } },
      "RemoteProtocol",
      /HTTP/,
    ],
    ["never", { kind: "silence" }, "RemoteTooSlow", /did not answer/],
    ["and stops", { kind: "stall", afterBytes: 10 }, "RemoteTooSlow", /sent \d+ bytes/],
    ["one byte at a time", { kind: "drip", everyMs: 20 }, "RemoteTooSlow", /sent \d+ bytes in 0.5 s/],
  ])("%s fails", async (_case, fault, code, message) => {
    expect((await headFailure(fault)).error).toMatchObject({ code, message: expect.stringMatching(message) });
  });
});

describe("a list without end", () => {
  const line = (text: string): Buffer => Buffer.from(`${(text.length + 5).toString(16).padStart(4, "0")}${text}\n`);

  function* endless(first: Buffer): Generator<Buffer> {
    yield first;
    for (let index = 0; ; index += 1) {
      yield Buffer.concat(Array.from({ length: 500 }, (_, part) => line(`${"a".repeat(40)} refs/heads/b${index}-${part}`)));
    }
  }

  test.each<[string, Buffer]>([
    ["of refs", line(`${"a".repeat(40)} HEAD\0shallow`)],
    ["of capabilities", line("version 2")],
  ])("%s is given up at its limit", async (_case, first) => {
    const { error, sentBytes } = await headFailure({ kind: "body", contentType: ANNOUNCEMENT, chunks: endless(first) });
    expect(error).toMatchObject({ code: "RemoteProtocol" });
    // What the limit does not hold back is in flight in the sockets' buffers.
    expect(sentBytes).toBeLessThan(16_000_000);
  });

  test("is read in constant memory up to the limit", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const heapBytes = (): number => {
      collect();
      return process.memoryUsage().heapUsed;
    };
    await using server = await serveSource(source);
    await using remotes = openTestRemotes({ limits: { refsBytes: 8_000_000 } });
    const heaps: number[] = [];
    function* measured(): Generator<Buffer> {
      let bytes = 0;
      for (const chunk of endless(line(`${"a".repeat(40)} HEAD\0shallow`))) {
        bytes += chunk.length;
        if (bytes > heaps.length * 2_000_000) heaps.push(heapBytes());
        yield chunk;
      }
    }
    server.fault = () => ({ kind: "body", contentType: ANNOUNCEMENT, chunks: measured() });
    await using remote = remotes.open(server.remoteUrl);
    expect(await failureOf(remote.readHead("main", deadline()))).toMatchObject({ code: "RemoteProtocol" });
    expect(heaps.length).toBeGreaterThanOrEqual(4);
    // 140,000 refs, kept, would take more than 10 MB.
    expect(Math.max(...heaps) - (heaps[0] ?? 0)).toBeLessThan(4_000_000);
  });
});

describe("a pack", () => {
  /** What fetching fails with when the answer to the fetch alone has the fault. */
  async function packFailure(fault: Fault) {
    await using server = await serveSource(source);
    await using remotes = openTestRemotes({ limits: { headersMs: 500, silenceMs: 400, lowSpeedMs: 500 } });
    await using remote = remotes.open(server.remoteUrl);
    await remote.readHead("main", deadline());
    server.fault = () => fault;
    return await failureOf(fetchWhole(remote, oid));
  }

  test.each<[string, Fault, string]>([
    ["stalls", { kind: "stall", afterBytes: 500_000 }, "RemoteTooSlow"],
    ["stalls before it begins", { kind: "silence" }, "RemoteTooSlow"],
    ["drips", { kind: "drip", everyMs: 2 }, "RemoteTooSlow"],
    ["ends early", { kind: "truncate", afterBytes: 500_000 }, "RemoteProtocol"],
    ["breaks off", { kind: "break", afterBytes: 500_000 }, "RemoteUnreachable"],
    ["is no pack answer", { kind: "page" }, "RemoteProtocol"],
    ["is refused", { kind: "status", status: 403 }, "AccessDenied"],
    [
      "has another band",
      { kind: "body", contentType: RESULT, chunks: [Buffer.from("000dpackfile\n0006\u0009x")] },
      "RemoteProtocol",
    ],
  ])("that %s fails", async (_case, fault, code) => {
    expect(await packFailure(fault)).toMatchObject({ code });
  });

  test("whose reader takes its time is not the remote's fault", async () => {
    await using server = await serveSource(source);
    await using remotes = openTestRemotes({ limits: { silenceMs: 1000, lowSpeedMs: 1000 } });
    await using remote = remotes.open(server.remoteUrl);
    await remote.readHead("main", deadline());
    let bytes = 0;
    let pauses = 0;
    for await (const chunk of remote.fetchPack({ oid, have: null }, deadline())) {
      bytes += chunk.length;
      if (pauses === 0) await new Promise((resolve) => setTimeout(resolve, 1500));
      pauses += 1;
    }
    expect(bytes).toBeGreaterThan(2_000_000);
  });

  test("ends with the signal, by the signal's own reason, and the server is let go", async () => {
    await using server = await serveSource(source);
    await using remotes = openTestRemotes();
    await using remote = remotes.open(server.remoteUrl);
    await remote.readHead("main", deadline());
    server.fault = () => ({ kind: "stall", afterBytes: 100_000 });
    expect(await failureOf(fetchWhole(remote, oid, AbortSignal.timeout(300)))).toMatchObject({ code: "Timeout" });
    server.fault = null;
    expect(await remote.readHead("main", deadline())).toMatchObject({ oid });
  });
});
