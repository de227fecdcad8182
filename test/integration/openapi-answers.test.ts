// Every status and code of the API's document is really answered by some request, route by route. The other half, that
// nothing else is answered, is checked for every answer of every test: documented-answers.ts.
import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { apiCode } from "../../src/domain/errors.ts";
import { FAILURES, problemsOf } from "../../src/http/openapi/route-problems.ts";
import { pathsOf, type Route } from "../../src/http/route.ts";
import { RUN_PROBLEMS } from "../../src/http/run-problems.ts";
import { API_ROUTES } from "../support/documented-answers.ts";
import { type HttpServer, type HttpWorld, MASTER_KEY, openHttpWorld } from "../support/http-world.ts";
import { type ApiRequest, type RequestTable, requestTable } from "../support/openapi/requests.ts";
import { endRun } from "../support/openapi/run-endings.ts";
import { type Stage, setStage } from "../support/openapi/stage.ts";

/** What no request brings about at will, with the reason. */
const UNPROVOKED: Readonly<Record<string, string>> = {
  "createRepository 404 REPOSITORY_NOT_FOUND": "somebody deletes it while it is made",
  "createConnection 404 CONNECTION_NOT_FOUND": "somebody deletes it while it is made",
  "createSyncConfig 404 SYNC_NOT_FOUND": "somebody deletes it while it is made",
  "createBranch 409 REF_MOVED": "somebody deletes the branch while it is made",
  "createTag 409 REF_MOVED": "somebody deletes the tag while it is made",
  "createRef 409 REF_MOVED": "somebody deletes the ref while it is made",
  "getCommit 504 TIMEOUT": "git takes half a minute to compare",
  "compareCommits 504 TIMEOUT": "git takes half a minute to compare",
  "compareRange 504 TIMEOUT": "git takes half a minute to compare",
  "getDiff 504 TIMEOUT": "git takes half a minute to compare",
  "getCommitDiff 504 TIMEOUT": "git takes half a minute to compare",
  "putRef 504 TIMEOUT": "git takes half a minute to compare",
  "patchRef 504 TIMEOUT": "git takes half a minute to compare",
};
/** Nothing listens there. */
const NO_DATABASE = "postgres://nobody@127.0.0.1:1/none";
/** Above the largest body that any route takes. */
const TOO_MANY_BYTES = 65 * 1024 * 1024;

const owned = new AsyncDisposableStack();
let http: HttpWorld;
let limited: HttpWorld;
let stranded: HttpServer;
let stage: Stage;
let limitedKey: string;
let table: RequestTable;

beforeAll(async () => {
  http = owned.use(await openHttpWorld());
  stage = await setStage(http, owned);
  table = requestTable(stage);
  limited = owned.use(await openHttpWorld({ tokenRateLimit: 0 }));
  const token = { name: "one", scopes: { "repos:*": ["read"] } };
  limitedKey = String((await limited.ask("/v1/tokens", { method: "POST", body: token })).body.token);
  stranded = await http.replica(NO_DATABASE);
}, 120_000);
afterAll(() => owned.disposeAsync());

/** What was answered, as `createBranch 409 REF_EXISTS`; `createBranch 201` without a code. */
const seen = new Set<string>();

type Sending = { readonly server?: HttpServer; readonly key?: string | null; readonly method?: string };

async function send(route: Route, request: ApiRequest, { server = http, key = MASTER_KEY, method = route.method }: Sending = {}) {
  const headers = { ...(key === null ? {} : { "x-api-key": key }), ...request.headers };
  const json = request.body === undefined ? {} : { body: JSON.stringify(request.body) };
  const type = request.body === undefined ? {} : { "content-type": "application/json" };
  const leaving = new AbortController();
  const init = { method, headers: { ...type, ...headers }, ...json, signal: leaving.signal };
  const response = await fetch(`${server.url}/v1${request.path}`, init);
  const isJson = response.headers.get("content-type")?.startsWith("application/json") && method !== "HEAD";
  const body = isJson ? ((await response.json()) as { readonly code?: string }) : {};
  leaving.abort();
  note(method === "HEAD" ? `head ${route.name}` : route.name, response.status, body.code);
  return response.status;
}

function note(name: string, status: number, code: string | undefined): void {
  seen.add([name, status, ...(status < 400 || code === undefined ? [] : [code])].join(" "));
}

/** Announces a body that nobody takes, and waits for the answer instead of sending it. */
function announceLargeBody(route: Route, { path }: ApiRequest): Promise<void> {
  const headers = { "x-api-key": MASTER_KEY, "content-type": "application/json", "content-length": TOO_MANY_BYTES };
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const asked = httpRequest(`${http.url}/v1${path}`, { method: route.method, headers }, async (response) => {
    const text = (await response.toArray()).join("");
    note(route.name, response.statusCode ?? 0, (JSON.parse(text) as { readonly code: string }).code);
    asked.destroy();
    resolve();
  });
  asked.on("error", reject).flushHeaders();
  return promise;
}

function documentedOf(route: Route): readonly string[] {
  const failures = FAILURES.map(([status]) => status);
  const answers = Object.keys(route.answers).map((status) => `${route.name} ${status}`);
  const refusals = problemsOf(route)
    .filter(([status]) => !failures.includes(status))
    .flatMap(([status, codes]) => codes.map((code) => `${route.name} ${status} ${apiCode(code)}`));
  return [...answers, ...refusals, `${route.name} 503 DATABASE_UNAVAILABLE`];
}

/** What every route refuses, made from a request that it would take. */
async function provokeRefusals(route: Route, good: ApiRequest): Promise<void> {
  const { path } = good;
  const with_ = (changes: Partial<ApiRequest>): ApiRequest => ({ ...good, ...changes });
  const longer = (text: string) => `${text}${"a".repeat(1001)}`;
  await send(route, with_({ path: `${path}${path.includes("?") ? "&" : "?"}unknown=1` }));
  await send(route, good, { key: null });
  await send(route, good, { key: stage.readKey });
  await send(route, good, { server: limited, key: limitedKey });
  await send(route, good, { server: stranded });
  await send(route, with_({ headers: { "x-long": "a".repeat(17_000) } }));
  if (route.isOfRepository) await send(route, with_({ path: path.replace(/^\/repos\/[^/?]+/, "/repos/missing") }));
  if (pathsOf(route).some((address) => address.includes(":"))) {
    await send(route, with_({ path: path.replace(/^\/[^/]+\/[^/?]+/, longer) }));
  }
  if (route.method === "GET") return;
  await announceLargeBody(route, good);
  await send(route, { path, body: "text", headers: { "content-type": "text/plain" } });
}

async function provoke(route: Route): Promise<void> {
  const requests = table[route.name] ?? [];
  for (const request of requests) await send(route, request);
  const [good] = requests;
  if (good !== undefined) await provokeRefusals(route, good);
}

/** A run that was waited for, ended in every way that there is. */
async function provokeRunEndings(): Promise<void> {
  const route = API_ROUTES.find(({ name }) => name === "triggerSync");
  if (route === undefined) throw new Error("There is no route triggerSync.");
  // What the table asked for without waiting is still open.
  await endRun(http, stage.syncId, null);
  const request = { path: "/repos/stage/sync", body: { sync_id: stage.syncId } };
  const failures = FAILURES.flatMap(([, codes]) => codes);
  for (const code of [null, ...RUN_PROBLEMS.filter((one) => !failures.includes(one))]) {
    await Promise.all([send(route, request), endRun(http, stage.syncId, code)]);
  }
}

describe("every documented answer is given", () => {
  beforeAll(async () => {
    for (const route of API_ROUTES) await provoke(route);
    await provokeRunEndings();
  }, 300_000);

  test.each(API_ROUTES.map((route) => [route.name, route] as const))("by %s", (name, route) => {
    const missing = documentedOf(route).filter((answer) => !seen.has(answer) && UNPROVOKED[answer] === undefined);
    expect(missing).toEqual([]);
    expect([...seen].filter((answer) => answer.startsWith(`${name} `)).sort()).toEqual(
      documentedOf(route)
        .filter((answer) => seen.has(answer))
        .sort(),
    );
  });

  test.each(API_ROUTES.filter(({ answersHead }) => answersHead).map((route) => [route.name, route] as const))(
    "by HEAD of %s, with the status of GET",
    async (name, route) => {
      for (const request of table[name] ?? []) {
        expect(await send(route, request, { method: "HEAD" })).toBe(await send(route, request));
      }
    },
  );
});

test("what no request brings about is documented all the same", () => {
  const documented = new Set(API_ROUTES.flatMap(documentedOf));
  expect(Object.keys(UNPROVOKED).filter((answer) => !documented.has(answer))).toEqual([]);
});

test("each request of the table is for a route that exists", () => {
  const names = new Set(API_ROUTES.map(({ name }) => name));
  expect(Object.keys(table).filter((name) => !names.has(name))).toEqual([]);
});
