// The client where there is no answer, or not the one that was hoped for: it tells so, and never throws.
import type { ServerResponse } from "node:http";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type CoregitClientOptions, createCoregitClient, type RequestOptions, type Result } from "../../src/sdk/index.ts";
import { type AnsweringServer, type AskedRequest, answerJson, startAnsweringServer } from "../support/answering-server.ts";
import { freePorts } from "../support/free-ports.ts";

const KEY = "cgk_live_secret";
let server: AnsweringServer | null = null;

afterEach(async () => {
  await server?.[Symbol.asyncDispose]();
  server = null;
});

/** A client of a server that answers like this. */
async function clientOf(
  answer: (response: ServerResponse, request: AskedRequest) => void,
  more: Partial<CoregitClientOptions> = {},
) {
  server = await startAnsweringServer((request, response) => answer(response, request));
  return createCoregitClient({ apiKey: KEY, baseUrl: server.url, ...more });
}

const factsOf = ({ data, error, status }: Result<unknown>) => [data, status, error?.code];

/** Begins at once and does not end before the signal ends it. */
function endlessAnswer({ signal }: RequestInit): Response {
  const body = new ReadableStream({
    start: (controller) => signal?.addEventListener("abort", () => controller.error(signal.reason)),
  });
  return new Response(body);
}

describe("without an answer", () => {
  test("a server that is down is a network error with its cause", async () => {
    const [port] = await freePorts(1);
    const git = createCoregitClient({ apiKey: KEY, baseUrl: `http://127.0.0.1:${port}` });
    const result = await git.repos.get("site");
    expect([factsOf(result), result.headers]).toEqual([[null, 0, "NETWORK_ERROR"], null]);
    expect(result.error?.cause).toBeInstanceOf(Error);
  });

  test("a connection that breaks off in the middle is a network error", async () => {
    const git = await clientOf((response) => {
      response.writeHead(200, { "content-length": "100" }).write("{", () => response.destroy());
    });
    expect(factsOf(await git.repos.get("site"))).toEqual([null, 200, "NETWORK_ERROR"]);
  });

  test("a file's stream that breaks off tells its reader", async () => {
    const git = await clientOf((response) => {
      response.writeHead(200, { "content-length": "100" }).write("x", () => response.destroy());
    });
    const { data } = await git.files.stream("site", { path: "a" });
    await expect(new Response(data?.stream).arrayBuffer()).rejects.toThrow();
  });

  test("whatever a fetch of one's own throws is a network error", async () => {
    const git = createCoregitClient({ apiKey: KEY, fetch: () => Promise.reject("no network today") });
    expect((await git.repos.get("site")).error).toMatchObject({ code: "NETWORK_ERROR", cause: "no network today" });
  });

  test.each<[string, (ms: number) => [Partial<CoregitClientOptions>, RequestOptions]]>([
    ["the call", (timeoutMs) => [{}, { timeoutMs }]],
    ["the client", (timeoutMs) => [{ timeoutMs }, {}]],
    ["the call rather than the client", (timeoutMs) => [{ timeoutMs: 60_000 }, { timeoutMs }]],
  ])("a timeout of %s ends a call that gets none", async (_, timeouts) => {
    const [ofClient, ofCall] = timeouts(20);
    const git = await clientOf(() => undefined, ofClient);
    expect(factsOf(await git.repos.get("site", ofCall))).toEqual([null, 0, "DEADLINE_EXCEEDED"]);
  });

  test("a timeout covers the body", async () => {
    const git = createCoregitClient({ apiKey: KEY, timeoutMs: 20, fetch: async (_url, init) => endlessAnswer(init) });
    expect(factsOf(await git.repos.get("site"))).toEqual([null, 200, "DEADLINE_EXCEEDED"]);
  });

  test("a timeout is over when a stream begins", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const git = createCoregitClient({ apiKey: KEY, timeoutMs: 20, fetch: async (_url, init) => endlessAnswer(init) });
      expect((await git.files.stream("site", { path: "a" })).status).toBe(200);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  test("an abort ends what a stream's reader takes", async () => {
    const git = await clientOf((response) => void response.writeHead(200).write("half"));
    const abort = new AbortController();
    const { data } = await git.files.stream("site", { path: "a" }, { signal: abort.signal });
    const reader = data?.stream.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe("half");
    abort.abort();
    await expect(reader?.read()).rejects.toThrow();
  });

  test("an abort ends a call, before it is sent and while it waits", async () => {
    const abort = new AbortController();
    const git = await clientOf(() => abort.abort(new Error("no longer needed")));
    const result = await git.repos.get("site", { signal: abort.signal });
    expect([factsOf(result), result.error?.cause]).toEqual([[null, 0, "ABORTED"], new Error("no longer needed")]);
    expect(factsOf(await git.repos.get("site", { signal: abort.signal }))).toEqual([null, 0, "ABORTED"]);
    expect(server?.asked.length).toBe(1);
  });
});

describe("an answer that is not Coregit's", () => {
  test.each<[string, number, string]>([
    ["a page with status 200", 200, "<h1>Welcome</h1>"],
    ["JSON that is no object", 200, "[1]"],
    ["nothing with status 204", 204, ""],
    ["a proxy's page", 502, "<h1>Bad gateway</h1>"],
    ["an error of another program", 404, '{"message":"Not Found"}'],
  ])("is told from one: %s", async (_, status, body) => {
    const git = await clientOf((response) => void response.writeHead(status).end(body));
    expect(factsOf(await git.repos.get("site"))).toEqual([null, status, "UNEXPECTED_ANSWER"]);
  });

  test("never gets the key by a redirect", async () => {
    const git = await clientOf((response) => void response.writeHead(307, { location: "/v1/elsewhere" }).end());
    expect(factsOf(await git.repos.get("site"))).toEqual([null, 0, "NETWORK_ERROR"]);
    expect(server?.asked.map(({ path }) => path)).toEqual(["/v1/repos/site"]);
  });

  test("of events ends the loop with an error when a line is cut off", async () => {
    const git = await clientOf((response) => {
      response.writeHead(200, { "content-type": "application/x-ndjson" });
      response.write('\n{"type":"syn');
      response.write('ced"}\n{"type":', () => response.destroy());
    });
    const { data } = await git.syncs.watch();
    expect(await data?.next()).toEqual({ done: false, value: { type: "synced" } });
    await expect(data?.next()).rejects.toThrow();
  });
});

describe("a request", () => {
  test("carries the key, and a body as JSON", async () => {
    const git = await clientOf((response) => answerJson(response, 201, {}));
    await git.repos.create({ slug: "site" });
    expect(server?.asked).toMatchObject([
      {
        method: "POST",
        path: "/v1/repos",
        body: { slug: "site" },
        headers: { "x-api-key": KEY, "content-type": "application/json" },
      },
    ]);
  });

  test("goes below the base URL, by fetch as a function of nobody", async () => {
    const seen: unknown[] = [];
    const fetch = function (this: unknown, url: string) {
      seen.push(this, url);
      return Promise.resolve(Response.json({}));
    };
    await createCoregitClient({ apiKey: KEY, baseUrl: "https://host.test/git//", fetch }).repos.get("site");
    await createCoregitClient({ apiKey: KEY, fetch }).repos.get("site");
    expect(seen).toEqual([undefined, "https://host.test/git/v1/repos/site", undefined, "http://127.0.0.1:8080/v1/repos/site"]);
  });

  test.each<[string, CoregitClientOptions]>([
    ["no key", { apiKey: "" }],
    ["a key with a line break", { apiKey: `${KEY}\n` }],
    ["no URL", { apiKey: KEY, baseUrl: "host" }],
    ["a URL of another scheme", { apiKey: KEY, baseUrl: "ftp://host" }],
    ["a URL with credentials", { apiKey: KEY, baseUrl: `http://x:${KEY}@host` }],
    ["a URL with a query", { apiKey: KEY, baseUrl: "http://host?a" }],
    ["a timeout of nothing", { apiKey: KEY, timeoutMs: 0 }],
    ["a timeout that no timer takes", { apiKey: KEY, timeoutMs: 2 ** 31 }],
  ])("is not made from options with %s, and the error shows no key", (_, options) => {
    const create = () => createCoregitClient(options);
    expect(create).toThrow(TypeError);
    expect(create).not.toThrow(KEY);
  });
});

describe("the parts of the API about connections and sync configuration", () => {
  const credential = { access_token: "ghp_x" };
  test.each<[string, string, unknown, (git: ReturnType<typeof createCoregitClient>) => Promise<Result<unknown>>]>([
    [
      "POST /v1/connections",
      "a new connection",
      { provider: "github", label: "Sync Token", ...credential },
      (git) => git.connections.create({ provider: "github", label: "Sync Token", ...credential }),
    ],
    ["GET /v1/connections/conn_1", "one connection", null, (git) => git.connections.get("conn_1")],
    ["PATCH /v1/connections/conn_1", "a change", { label: "New" }, (git) => git.connections.update("conn_1", { label: "New" })],
    ["DELETE /v1/connections/conn_1?cascade=true", "its end", null, (git) => git.connections.delete("conn_1", { cascade: true })],
    ["POST /v1/connections/conn_1/test", "a test", null, (git) => git.connections.test("conn_1")],
    [
      "POST /v1/repos/team/site/sync/config",
      "a new configuration",
      { connection_id: "conn_1", remote: "octocat/my-repo", direction: "import", auto_sync: true },
      (git) =>
        git.sync.createConfig("team/site", {
          connection_id: "conn_1",
          remote: "octocat/my-repo",
          direction: "import",
          auto_sync: true,
        }),
    ],
    [
      "PATCH /v1/repos/site/sync/config",
      "a change",
      { direction: "export", auto_sync: true },
      (git) => git.sync.updateConfig("site", { direction: "export", auto_sync: true }),
    ],
    ["DELETE /v1/repos/site/sync/config", "its end", null, (git) => git.sync.deleteConfig("site")],
    [
      "POST /v1/repos/site/sync",
      "a dry run",
      { sync_id: "sync_1", dry_run: true },
      (git) => git.sync.trigger("site", { sync_id: "sync_1", dry_run: true }),
    ],
    [
      "POST /v1/repos/site/sync",
      "a run that is not waited for",
      { sync_id: "sync_1", branch: "main", wait: false },
      (git) => git.sync.trigger("site", { sync_id: "sync_1", branch: "main", wait: false }),
    ],
  ])("are asked as documented: %s, %s", async (line, _, body, call) => {
    const git = await clientOf((response) => answerJson(response, 200, { answered: line }));
    expect(await call(git)).toMatchObject({ data: { answered: line }, error: null, status: 200 });
    expect(server?.asked.map(({ method, path }) => `${method} ${path}`)).toEqual([line]);
    expect(server?.asked[0]?.body).toEqual(body);
  });
});
