// Requests that are answered in every way that the API's document has, by route. The first of a route is a good one; what
// follows from its access and its form (no key, a body too large) is made from that one and is not here.
import { fromGitHub, push } from "../signed-deliveries.ts";
import type { Stage } from "./stage.ts";

export type ApiRequest = {
  /** Below /v1. */
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

export type RequestTable = Readonly<Record<string, readonly ApiRequest[]>>;

const UNKNOWN = "f".repeat(40);
const AT = "/repos/stage";
const HAS_IT = { "if-none-match": "*" };

const get = (...paths: readonly string[]): readonly ApiRequest[] => paths.map((path) => ({ path: `${AT}${path}` }));
const bodies = (path: string, ...all: readonly unknown[]): readonly ApiRequest[] => all.map((body) => ({ path, body }));
const cached = (path: string): ApiRequest => ({ path: `${AT}${path}`, headers: HAS_IT });

export function requestTable(stage: Stage): RequestTable {
  return {
    ...repositories(),
    ...branches(stage),
    ...tags(stage),
    ...refs(stage),
    ...commits(stage),
    ...reading(stage),
    ...connections(stage),
    ...syncConfigs(stage),
    ...webhooks(stage),
    ...rest(stage),
  };
}

function repositories(): RequestTable {
  const path = "/repos";
  return {
    listRepositories: [{ path }],
    createRepository: bodies(path, { slug: "made" }, { slug: "made" }),
    getRepository: get(""),
    updateRepository: [
      ...bodies(AT, { description: "changed" }, { default_branch: "none" }),
      ...bodies("/repos/kept", { description: "changed" }),
    ],
    deleteRepository: [{ path: "/repos/spare" }, { path: "/repos/kept" }, { path: "/repos/used" }],
  };
}

function branches({ first }: Stage): RequestTable {
  const starts = [{ name: "b1" }, { name: "main" }, { name: "b2", from: "none" }, { name: "a b" }];
  return {
    listBranches: get("/branches"),
    createBranch: bodies(`${AT}/branches`, ...starts),
    getBranch: get("/branches/main", "/branches/none"),
    deleteBranch: get(
      "/branches/b1",
      "/branches/none",
      "/branches/main",
      "/branches/kept/one",
      `/branches/topic?expected_sha=${first}`,
    ),
  };
}

function tags({ first }: Stage): RequestTable {
  return {
    listTags: get("/tags"),
    createTag: bodies(`${AT}/tags`, { name: "t1" }, { name: "v1" }, { name: "t2", from: "none" }, { name: "a b" }),
    getTag: get("/tags/v1", "/tags/none"),
    deleteTag: get("/tags/t1", "/tags/none", `/tags/v1?expected_sha=${first}`),
  };
}

function refs(stage: Stage): RequestTable {
  const { first, main } = stage;
  const made = ["refs/heads/r1", "refs/heads/main", "refs/heads/a b"].map((ref) => ({ ref, sha: main }));
  return {
    listRefs: get("/refs"),
    createRef: bodies(`${AT}/refs`, ...made, { ref: "refs/heads/r2", sha: UNKNOWN }),
    getRef: get("/refs/heads/main", "/refs/heads/none"),
    putRef: moves(stage, "put1"),
    patchRef: moves(stage, "patch1"),
    deleteRef: get(
      "/refs/heads/put1",
      "/refs/heads/none",
      "/refs/heads/main",
      "/refs/heads/kept/one",
      `/refs/heads/topic?expected_sha=${first}`,
    ),
  };
}

function moves({ first, main, topic }: Stage, name: string): readonly ApiRequest[] {
  const at = `${AT}/refs/heads`;
  return [
    ...bodies(`${at}/r1`, { sha: main }, { sha: UNKNOWN }, { sha: main, expected_sha: first }, { sha: first }),
    ...bodies(`${at}/${name}`, { sha: first }),
    ...bodies(`${at}/a%20b`, { sha: main }),
    ...bodies(`${at}/kept/one`, { sha: first, force: true }),
    ...bodies(`${AT}/refs/tags/v1`, { sha: topic }),
  ];
}

function commits({ first, main }: Stage): RequestTable {
  const good = {
    branch: "main",
    message: "Change",
    author: { name: "Grace", email: "grace@example.com" },
    changes: [{ path: "new.txt", content: "new\n" }],
  };
  const put = (path: string, content: string) => ({ ...good, changes: [{ path, content }] });
  return {
    listCommits: get("/commits", "/commits?ref=none"),
    createCommit: bodies(
      `${AT}/commits`,
      good,
      { ...good, branch: "other", base_branch: "none" },
      { ...good, parent_sha: first },
      { ...good, branch: "main/below" },
      { ...good, changes: [{ path: "none", action: "delete" }] },
      put(".git/config", ""),
      put("a.txt", "a\n"),
      { ...good, changes: Array.from({ length: 1001 }, (_, index) => ({ path: `f${index}`, content: "" })) },
    ),
    getCommit: get(`/commits/${main}`, `/commits/${UNKNOWN}`),
  };
}

function reading({ first, topic, apart, main, blob, largeBlob }: Stage): RequestTable {
  return {
    getTree: get("/tree", "/tree?ref=none", "/tree?path=none"),
    getFile: [
      ...get("/blob?path=a.txt", "/blob?path=a.txt&ref=none", "/blob?path=none", "/blob?path=large.txt"),
      cached("/blob?path=a.txt"),
    ],
    getBlob: [...get(`/blob/${blob}`, `/blob/${UNKNOWN}`, `/blob/${largeBlob}`), cached(`/blob/${blob}`)],
    getRaw: [
      ...get("/raw?path=a.txt", "/raw?path=a.txt&ref=none", "/raw?path=none"),
      cached("/raw?path=a.txt"),
      { path: `${AT}/raw?path=a.txt`, headers: { range: "bytes=0-0" } },
      { path: `${AT}/raw?path=a.txt`, headers: { range: "bytes=99-" } },
    ],
    compareCommits: get("/compare?base=main&head=topic", "/compare?base=main&head=none", "/compare?base=main&head=apart"),
    compareRange: get("/compare/main...topic", "/compare/main...none", "/compare/main...apart"),
    getDiff: [
      ...get(`/diff?base=${first}&head=topic`, `/diff?base=${first}&head=topic&format=json`, `/diff?base=${first}&head=none`),
      ...get(`/diff?base=${topic}&head=${apart}&merge_base=true`, `/diff?base=${first}&head=${main}`),
      cached(`/diff?base=${first}&head=topic`),
    ],
    getCommitDiff: [
      ...get(`/commits/${first}/diff`, `/commits/${UNKNOWN}/diff`, `/commits/${main}/diff`),
      cached(`/commits/${first}/diff`),
    ],
  };
}

function connections({ provider: { good, odd }, connections: { own, spare, used, managed } }: Stage): RequestTable {
  const path = "/connections";
  const at = (id: string, more = ""): ApiRequest => ({ path: `${path}/${id}${more}` });
  const made = { provider: "gitlab", label: "Lab", access_token: "t0ken", base_url: good };
  const bad = Object.values(odd).map((base_url) => ({ access_token: "t0ken", base_url }));
  return {
    listConnections: [{ path }],
    createConnection: bodies(path, made, ...bad.map((one) => ({ ...made, ...one }))),
    getConnection: [at(own), at("conn_none")],
    updateConnection: [
      ...bodies(`${path}/${own}`, { label: "Other" }, ...bad),
      ...bodies(`${path}/${managed}`, { label: "Other" }),
      ...bodies(`${path}/conn_none`, { label: "Other" }),
    ],
    deleteConnection: [at(spare), at("conn_none"), at(used), at(managed)],
    testConnection: [at(own, "/test"), at("conn_none", "/test")],
  };
}

function syncConfigs({ connections: { own } }: Stage): RequestTable {
  const of = (slug: string) => `/repos/${slug}/sync/config`;
  const made = { connection_id: own, remote: "group/project" };
  return {
    createSyncConfig: [
      ...bodies(of("linked"), made, made),
      ...bodies(of("bare"), { ...made, connection_id: "conn_none" }, { ...made, remote: "nothing" }),
    ],
    updateSyncConfig: [
      ...bodies(of("linked"), { auto_sync: true }, { remote: "nothing" }),
      ...bodies(of("bare"), { auto_sync: true }),
      ...bodies(of("copy"), { auto_sync: true }),
      ...bodies(of("orphan"), { remote: "group/other" }),
    ],
    deleteSyncConfig: [{ path: of("linked") }, { path: of("bare") }, { path: of("copy") }],
  };
}

function webhooks({ syncId, suspendedSyncId, webhook }: Stage): RequestTable {
  const path = `/sync-webhooks/github/${syncId}`;
  const delivered = (body: unknown, headers: Readonly<Record<string, string>> = {}) => {
    const { "content-type": _, ...signed } = fromGitHub(webhook, body, headers).headers;
    return { path, body, headers: signed };
  };
  const byHand = [
    ...get(...[suspendedSyncId, syncId].map((id) => `/sync/webhook?sync_id=${id}`)),
    { path: "/repos/bare/sync/webhook" },
  ];
  return {
    getSyncWebhook: byHand,
    rotateSyncWebhook: byHand,
    // Needs no key.
    receiveWebhook: [
      delivered(push()),
      delivered({ zen: "Speak like a human." }, { "x-github-event": "ping" }),
      { path, body: push() },
      { ...delivered(push()), path: "/sync-webhooks/github/sync_none" },
    ],
  };
}

/** How a sync is triggered is in sync-triggers.ts. */
function rest({ runId, tokenId, syncId, suspendedSyncId }: Stage): RequestTable {
  const token = { name: "one", scopes: { "repos:*": ["read"] } };
  return {
    listTokens: [{ path: "/tokens" }],
    createToken: bodies("/tokens", token),
    revokeToken: [{ path: `/tokens/${tokenId}` }, { path: "/tokens/tok_none" }],
    getSyncConfig: get("/sync/config"),
    listSyncHistory: get("/sync/history"),
    listRepositorySyncs: get("/syncs"),
    triggerSync: [
      ...bodies(`${AT}/sync`, { sync_id: syncId, wait: false }, { sync_id: "sync_none" }, { sync_id: suspendedSyncId }),
      ...bodies(`${AT}/sync`, { sync_id: syncId, branch: "a b" }),
    ],
    listSyncs: [{ path: "/syncs" }],
    getSync: [{ path: "/syncs/default/copy" }, { path: "/syncs/default/none" }],
    watchSyncs: [{ path: "/watch/syncs" }],
    listRuns: [{ path: "/runs" }],
    getRun: [{ path: `/runs/${runId}` }, { path: "/runs/run_none" }],
    getRunPlan: [{ path: `/runs/${runId}/plan` }, { path: "/runs/run_none/plan" }],
  };
}
