// A server with something of everything that a route can meet, for requests that are to be answered in every documented way.
import type { WebhookSecrets } from "../../../src/domain/webhook-secrets.ts";
import type { HttpWorld } from "../http-world.ts";
import { commitHere } from "../local-commit.ts";
import { QUIET_SPEC } from "../quiet-spec.ts";
import { giveWebhook } from "../signed-deliveries.ts";
import { createSourceRepository } from "../source-repository.ts";
import { serveSource } from "../test-remotes.ts";
import { type OddProvider, startOddProvider } from "./odd-provider.ts";

export type Stage = {
  /** Commits of the repository `stage`: its first, and the heads of `main`, `topic` and of `apart`, which has no common past with them. */
  readonly first: string;
  readonly main: string;
  readonly topic: string;
  readonly apart: string;
  /** The id of a small blob, and of one that is too large for JSON. */
  readonly blob: string;
  readonly largeBlob: string;
  /** A sync of the repository `stage` that the API declared, one that is suspended, whose webhook is set up by hand, and the run of a third. */
  readonly syncId: string;
  readonly suspendedSyncId: string;
  /** What deliveries for `syncId` are signed with. */
  readonly webhook: WebhookSecrets;
  readonly runId: string;
  readonly tokenId: string;
  readonly provider: OddProvider;
  readonly connections: StageConnections;
  /** A key that may read the repository `stage` and do nothing else. */
  readonly readKey: string;
};

/** Ids: of two connections of the API, of one that a sync uses, and of a resource's. */
export type StageConnections = {
  readonly own: string;
  readonly spare: string;
  readonly used: string;
  readonly managed: string;
};

const MAX_JSON_FILE = 10 * 1024 * 1024;
/** Of lines, so that a patch of it is as large. */
const LARGE_TEXT = "a line of a large file\n".repeat(Math.ceil(MAX_JSON_FILE / 23) + 1);

/**
 * Beside `stage` the repositories `spare`, `kept` (a resource declares it), `used` (a sync of the API is into it), `linked` and `bare` (no sync is),
 * `orphan` (its sync's connection is gone) and `copy` (imported by a sync of a resource). `stack` takes what has to be closed.
 */
export async function setStage(http: HttpWorld, stack: AsyncDisposableStack): Promise<Stage> {
  const { world, ask } = http;
  for (const slug of ["stage", "used", "spare", "linked", "bare", "orphan"])
    await ask("/v1/repos", { method: "POST", body: { slug } });
  const { store, declarations } = world;
  const repository = await world.repository("stage");
  const first = await commitHere(store, repository, { "a.txt": "a\n", "src/b.txt": "b\n" });
  await ask("/v1/repos/stage/branches", { method: "POST", body: { name: "topic" } });
  const topic = await commitHere(store, repository, { "c.txt": "c\n" }, "topic");
  const main = await commitHere(store, repository, { "large.txt": LARGE_TEXT });
  const apart = await commitHere(store, repository, { "d.txt": "d\n" }, "apart");
  await ask("/v1/repos/stage", { method: "PATCH", body: { protected_branches: ["kept/*"] } });
  await ask("/v1/repos/stage/branches", { method: "POST", body: { name: "kept/one", from: "main" } });
  await ask("/v1/repos/stage/tags", { method: "POST", body: { name: "v1", from: "main" } });
  await declarations.declareRepository({
    owner: { kind: "resource", ref: "uid-kept" },
    namespace: "default",
    slug: "kept",
    defaultBranch: "main",
    protectedBranches: [],
    description: "",
    visibility: "private",
    deletionPolicy: "Retain",
  });
  const declare = (name: string, into: string, suspend = false, connection: string | null = null) =>
    declarations.declareSync({
      owner: { kind: "api", ref: "" },
      namespace: "default",
      name,
      repository: into,
      connection,
      spec: { ...QUIET_SPEC, suspend },
    });
  const provider = stack.use(await startOddProvider());
  const connections = await connect(http, provider);
  const sync = await declare("sync_own", "stage");
  const suspended = await declare("sync_asleep", "stage", true);
  await giveWebhook(world.database, suspended.id, "git", `${http.url}/v1/sync-webhooks/git/${suspended.id}`);
  await declare("sync_used", "used", true, connections.used);
  await declare("sync_orphan", "orphan", true, "conn_gone");
  const scopes = { "repos:stage": ["read"] };
  const newToken = async () => (await ask("/v1/tokens", { method: "POST", body: { name: "reader", scopes } })).body;
  const blobOf = async (path: string) => (await world.git(["rev-parse", `refs/heads/main:${path}`], "stage")).trim();
  return {
    first,
    main,
    topic,
    apart,
    blob: await blobOf("a.txt"),
    largeBlob: await blobOf("large.txt"),
    syncId: sync.id,
    suspendedSyncId: suspended.id,
    webhook: await giveWebhook(world.database, sync.id, "github"),
    runId: await importOnce(http),
    tokenId: String((await newToken()).id),
    provider,
    connections,
    readKey: String((await newToken()).token),
  };
}

async function connect({ ask, world }: HttpWorld, { good }: OddProvider): Promise<StageConnections> {
  const body = { provider: "gitlab", label: "Lab", access_token: "t0ken", base_url: good };
  const made = async () => String((await ask("/v1/connections", { method: "POST", body })).body.id);
  const managed = await world.declarations.declareConnection({
    owner: { kind: "resource", ref: "uid-lab" },
    namespace: "default",
    name: "lab",
    label: "lab",
    provider: "gitlab",
    baseUrl: good,
    caPem: null,
    credential: null,
    error: null,
  });
  return { own: await made(), spare: await made(), used: await made(), managed: managed.id };
}

/** The id of a run that has imported into the repository `copy`. */
async function importOnce({ world }: HttpWorld): Promise<string> {
  await using source = await createSourceRepository();
  await source.commit({ "x.txt": "x\n" });
  await using server = await serveSource(source);
  const engine = await world.startEngine();
  const { lastRun } = await world.settle(engine, await world.declare(server.remoteUrl));
  await engine[Symbol.asyncDispose]();
  if (lastRun === null) throw new Error("Nothing was imported.");
  return lastRun.id;
}
