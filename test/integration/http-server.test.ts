// What every answer of the HTTP server has in common, what it refuses before a route sees it, and how it ends.
import { connect } from "node:net";
import { Writable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ProgressBoard } from "../../src/domain/progress.ts";
import { HTTP_LIMITS } from "../../src/http/limits.ts";
import { createLogger } from "../../src/telemetry/log.ts";
import { type HttpWorld, MASTER_KEY, openHttpWorld } from "../support/http-world.ts";
import { ManualTime } from "../support/manual-time.ts";
import { until } from "../support/until.ts";

const LIMITS = { ...HTTP_LIMITS, headersTimeoutMs: 300, timeoutCheckMs: 50, maxJsonBytes: 4096 };
const KEY = { "x-api-key": MASTER_KEY };

let http: HttpWorld;
const lines: string[] = [];

beforeAll(async () => {
  const destination = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  http = await openHttpWorld({ limits: LIMITS, logger: createLogger({ level: "debug", format: "json", destination }) });
});
afterAll(() => http[Symbol.asyncDispose]());

const post = (body: string, headers: Record<string, string> = { "content-type": "application/json" }) =>
  fetch(`${http.url}/v1/repos/none/sync`, { method: "POST", headers: { ...KEY, ...headers }, body });

async function refusal(response: Response | Promise<Response>) {
  const { status, headers, ...rest } = await response;
  const body = (await (await response).json()) as Record<string, unknown>;
  expect(body).toMatchObject({ error: expect.stringMatching(/^[A-Z].*\.$/), code: expect.stringMatching(/^[A-Z_]+$/) });
  expect(headers.get("x-request-id")).toMatch(/^[\w-]{36}$/);
  expect(rest).toEqual({});
  return [status, body.code];
}

describe("every refusal has a sentence, a code and the request's id", () => {
  test("of an address that is none", async () => {
    expect(await refusal(fetch(`${http.url}/none`))).toEqual([404, "NOT_FOUND"]);
    expect(await refusal(fetch(`${http.url}/v1/none`, { headers: KEY }))).toEqual([404, "NOT_FOUND"]);
    expect(await refusal(fetch(`${http.url}/%zz`))).toEqual([400, "INVALID_REQUEST"]);
    expect(await refusal(fetch(`${http.url}/v1/repos/${"a".repeat(2000)}`, { headers: KEY }))).toEqual([414, "INVALID_REQUEST"]);
  });

  test("of a method that an address does not take, which it names", async () => {
    const response = await fetch(`${http.url}/v1/syncs`, { method: "DELETE", headers: KEY });
    expect(response.headers.get("allow")).toBe("GET");
    expect(await refusal(response)).toEqual([405, "METHOD_NOT_ALLOWED"]);
  });

  test("of a body that is too large, no JSON, not JSON by its type, or missing", async () => {
    expect(await refusal(post(JSON.stringify({ sync_id: "x".repeat(5000) })))).toEqual([413, "BODY_TOO_LARGE"]);
    expect(await refusal(post('{"sync_id": '))).toEqual([400, "INVALID_REQUEST"]);
    expect(await refusal(post('{"__proto__": {"a": 1}}'))).toEqual([400, "INVALID_REQUEST"]);
    expect(await refusal(post("sync_id=1", { "content-type": "application/x-www-form-urlencoded" }))).toEqual([
      415,
      "INVALID_REQUEST",
    ]);
    expect(await refusal(post("hello", { "content-type": "text/plain" }))).toEqual([415, "INVALID_REQUEST"]);
    expect(await refusal(post(""))).toEqual([400, "INVALID_REQUEST"]);
    expect(await refusal(post("[]"))).toEqual([400, "INVALID_REQUEST"]);
  });
});

describe("every answer", () => {
  test("has the caller's request id when that is harmless, and headers that keep browsers from misusing it", async () => {
    const { headers } = await fetch(`${http.url}/livez`, { headers: { "x-request-id": "trace-7" } });
    expect(Object.fromEntries(headers)).toMatchObject({
      "x-request-id": "trace-7",
      "x-content-type-options": "nosniff",
      "cache-control": "no-store",
      "content-security-policy": expect.stringContaining("default-src 'none'"),
    });
  });

  test("to a defect of ours says no more than that; the log says what", async () => {
    // A column that the queries need goes away: nothing translates that.
    await http.world.database.query("ALTER TABLE connections RENAME COLUMN label TO gone");
    try {
      const response = await fetch(`${http.url}/v1/connections`, { headers: KEY });
      expect(await response.text()).toBe('{"error":"An internal error occurred; the log has the details.","code":"INTERNAL"}');
      await until("the log has the cause", () => lines.some((line) => line.includes('"level":50') && line.includes("label")));
    } finally {
      await http.world.database.query("ALTER TABLE connections RENAME COLUMN gone TO label");
    }
  });

  test("leaves a line in the log without query, key or password, and a metric by route", async () => {
    const authorization = `Basic ${btoa("user:not-the-key")}`;
    await fetch(`${http.url}/v1/syncs?namespace=hidden`, { headers: { ...KEY, "x-request-id": "logged-1" } });
    await fetch(`${http.url}/some.git/info/refs?service=git-upload-pack`, {
      headers: { authorization, "x-request-id": "logged-2" },
    });
    await until("both are logged", () => ["logged-1", "logged-2"].every((id) => lines.some((line) => line.includes(id))));
    for (const secret of [MASTER_KEY, "not-the-key", authorization, "hidden"]) expect(lines.join("")).not.toContain(secret);
    const metrics = await (await fetch(`${http.url}/metrics`)).text();
    expect(metrics).toContain('coregit_http_requests_total{method="GET",route="/v1/syncs",status="200"}');
    expect(metrics).not.toContain("some.git");
  });
});

describe("health", () => {
  test("a part that is stuck ends the process's life, one that only waits does not, and neither touches readiness", async () => {
    const time = new ManualTime();
    const progress = new ProgressBoard(time);
    using loop = progress.follow("claim loop", 60_000);
    await using watched = await openHttpWorld({ progress });
    const ask = (path: string) => watched.ask(path, { headers: {} });
    loop.rest(3_600_000);
    time.advance(3_600_000);
    expect(await ask("/livez")).toMatchObject({ status: 200, body: { status: "ok" } });
    time.advance(60_001);
    expect(await ask("/livez")).toMatchObject({
      status: 503,
      body: { status: "stalled", stalled: [{ name: "claim loop", silent_ms: 60_001 }] },
    });
    expect(await ask("/readyz")).toMatchObject({ status: 200 });
    loop.beat();
    expect(await ask("/livez")).toMatchObject({ status: 200 });
  });

  test("is told without a key: alive while nothing is stuck, ready when every dependency is", async () => {
    expect(await http.ask("/livez", { headers: {} })).toMatchObject({ status: 200, body: { status: "ok" } });
    expect(await http.ask("/readyz", { headers: {} })).toMatchObject({ status: 200, body: { status: "ready" } });
    http.dependencies.push({ name: "blob store", reason: "The folder is missing." });
    expect((await http.ask("/readyz", { headers: {} })).body).toEqual({
      status: "not ready",
      dependencies: [
        { name: "database", ready: true, reason: null },
        { name: "blob store", ready: false, reason: "The folder is missing." },
      ],
    });
    http.dependencies.pop();
  });
});

describe("clients that take their time", () => {
  test("with their headers are cut off", async () => {
    const socket = connect(Number(new URL(http.url).port), "127.0.0.1");
    const ended = new Promise<string>((resolve) => {
      let received = "";
      socket.on("data", (chunk) => {
        received += String(chunk);
      });
      socket.on("close", () => resolve(received));
    });
    socket.write("GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ");
    expect(await ended).toMatch(/^HTTP\/1\.1 408 /);
  });
});

describe("a watch", () => {
  test("shows every sync once, then each change, then its end", async () => {
    const sync = await http.world.declare("https://git.example/a.git", { suspend: true });
    const watch = await openWatch();
    expect(await watch.next()).toMatchObject({ type: "sync", sync: { id: sync.id, suspended: true, ready: "False" } });
    expect(await watch.next()).toEqual({ type: "synced" });
    await http.world.declare("https://git.example/b.git", { suspend: true });
    expect(await watch.next()).toMatchObject({ type: "sync", sync: { id: sync.id, remote: "https://git.example/b.git" } });
    await http.world.declarations.withdrawSync(sync.owner, sync.namespace, sync.name);
    expect(await watch.next()).toEqual({ type: "deleted", id: sync.id });
    await watch.close();
  });

  test("of one namespace shows no other", async () => {
    const sync = await http.world.declare("https://git.example/a.git", { suspend: true });
    const watch = await openWatch("?namespace=team");
    expect(await watch.next()).toEqual({ type: "synced" });
    await http.world.declare("https://git.example/c.git", { suspend: true });
    const owner = { kind: "resource", ref: "uid-team" } as const;
    await http.world.declarations.declareSync({
      ...sync,
      owner,
      namespace: "team",
      name: "theirs",
      repository: "theirs",
      connection: null,
    });
    expect(await watch.next()).toMatchObject({ type: "sync", sync: { namespace: "team", name: "theirs" } });
    await watch.close();
  });
});

test("a closing server ends watches and lets connections go at once", async () => {
  const other = await openHttpWorld();
  const response = await fetch(`${other.url}/v1/watch/syncs`, { headers: KEY });
  const text = response.text();
  const startedMs = performance.now();
  await other.app.close();
  expect(performance.now() - startedMs).toBeLessThan(3_000);
  expect(await text).toContain('{"type":"synced"}');
  await other[Symbol.asyncDispose]();
});

async function openWatch(query = "") {
  const abort = new AbortController();
  const response = await fetch(`${http.url}/v1/watch/syncs${query}`, { headers: KEY, signal: abort.signal });
  const reader = (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream()).getReader();
  let buffered = "";
  return {
    async next(): Promise<unknown> {
      while (!buffered.includes("\n")) buffered += (await reader.read()).value ?? "";
      const [line = "", ...rest] = buffered.split("\n");
      buffered = rest.join("\n");
      return JSON.parse(line);
    },
    async close(): Promise<void> {
      abort.abort();
      await reader.cancel().catch(() => undefined);
    },
  };
}
