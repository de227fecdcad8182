// Two operators as processes, on the lease times of production: how long nobody reconciles after the leader went, politely or
// not, and what a leader does that wakes up after it was replaced.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { LEASES } from "../../src/kube/leader-lease.ts";
import { LEASE_NAME } from "../../src/operator/operator.ts";
import { newSecrets } from "../support/api-program.ts";
import { type Cluster, connectCluster, readyOf } from "../support/cluster.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { freePorts } from "../support/free-ports.ts";
import { kindOf } from "../support/operator-harness.ts";
import { type RunningProgram, startProgram } from "../support/running-program.ts";
import { until } from "../support/until.ts";
import { writtenVersions } from "../support/written-versions.ts";

const MAIN = join(import.meta.dirname, "../../src/main.ts");
const START_WITHIN_MS = 60_000;

let owned = new AsyncDisposableStack();
let folder: string;
let cluster: Cluster;
let namespace: string;
let rows: TestDatabase;
const secrets = newSecrets();

beforeAll(async () => {
  await using stack = new AsyncDisposableStack();
  folder = await mkdtemp(join(tmpdir(), "coregit-leaders-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  cluster = stack.use(await connectCluster());
  namespace = await cluster.createNamespace();
  rows = stack.use(await createTestDatabase());
  const config = JSON.parse(await readFile(inject("kubeconfig"), "utf8"));
  config.contexts[0].context.namespace = namespace;
  await writeFile(join(folder, "kubeconfig"), JSON.stringify(config), { mode: 0o600 });
  owned = stack.move();
});

afterAll(async () => {
  await owned.disposeAsync();
});

type Candidate = {
  readonly name: string;
  readonly program: RunningProgram;
  readonly log: () => Promise<string>;
  readonly metrics: () => Promise<string>;
};

async function startCandidate(name: string): Promise<Candidate> {
  const [port] = await freePorts(1);
  const logPath = join(folder, `${name}.log`);
  const env = {
    KUBECONFIG: join(folder, "kubeconfig"),
    COREGIT_DATABASE_URL: rows.url,
    COREGIT_ENCRYPTION_KEY: secrets.encryptionKey,
    COREGIT_LISTEN: `127.0.0.1:${port}`,
    COREGIT_DATA_DIR: join(folder, name),
    NODE_COMPILE_CACHE: join(folder, "compiled"),
  };
  const program = owned.use(startProgram(process.execPath, { args: [MAIN, "operator", "--namespace", namespace], logPath, env }));
  const isReady = () =>
    fetch(`http://127.0.0.1:${port}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  await until(`${name} is ready`, isReady, START_WITHIN_MS);
  const metrics = async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return { name, program, log: () => readFile(logPath, "utf8"), metrics };
}

const holder = async () => {
  const lease = await cluster.api.get(LEASES, { namespace, name: LEASE_NAME });
  return (lease?.spec as { readonly holderIdentity?: string } | undefined)?.holderIdentity ?? "";
};

const epoch = async () => (await rows.database.query<{ epoch: string }>("SELECT epoch FROM operator_epoch")).rows[0]?.epoch;

/** Milliseconds until a resource that is made now has been reconciled. */
async function untilReconciled(name: string): Promise<number> {
  const startedAtMs = performance.now();
  const spec = { remote: "https://git.example.com/a/b.git", suspend: true };
  await cluster.api.create(kindOf("RepoSync"), namespace, { metadata: { name }, spec });
  const reason = async () => readyOf(await cluster.api.get(kindOf("RepoSync"), { namespace, name })).reason;
  await until(`${name} is reconciled`, async () => (await reason()) === "Suspended", 30_000);
  return performance.now() - startedAtMs;
}

async function showsWebhook(name: string): Promise<boolean> {
  const object = await cluster.api.get(kindOf("RepoSync"), { namespace, name });
  return (object?.status as { readonly webhook?: object } | undefined)?.webhook !== undefined;
}

const versions = () => writtenVersions(cluster.api, rows.database, namespace);

/** Whether it has reconciled so many RepoSyncs, and none waits or is in its hands: a further look would write nothing. */
async function hasSettled({ metrics }: Candidate, count: number): Promise<boolean> {
  const sumOf = (page: string, series: RegExp): number =>
    page.split("\n").reduce((sum, line) => (series.test(line) ? sum + Number(line.split(" ").at(-1)) : sum), 0);
  const page = await metrics();
  const reconciled = sumOf(page, /^controller_runtime_reconcile_total\{controller="reposync",/);
  const taken = sumOf(page, /^workqueue_queue_duration_seconds_count\{.*controller="reposync"\}/);
  const waiting = sumOf(page, /^workqueue_depth\{.*controller="reposync"\}/);
  return waiting === 0 && reconciled === taken && reconciled >= count;
}

test("reconciling goes on within 3 s of SIGTERM and 20 s of a freeze, and a leader that wakes up late writes nothing", async () => {
  const first = await startCandidate("first");
  await until("the first leads", async () => (await holder()).includes(`-${first.program.child.pid}-`), START_WITHIN_MS);
  await untilReconciled("under-the-first");
  const second = await startCandidate("second");
  first.program.child.kill("SIGTERM");
  expect(await untilReconciled("after-sigterm")).toBeLessThan(3000);
  expect(await holder()).toContain(`-${second.program.child.pid}-`);
  await until("the first has ended", () => first.program.child.exitCode !== null);
  expect(first.program.child.exitCode).toBe(0);

  const third = await startCandidate("third");
  const epochBefore = await epoch();
  // To everybody else a frozen process is a killed one, and its connections stay open besides.
  second.program.child.kill("SIGSTOP");
  expect(await untilReconciled("after-freeze")).toBeLessThan(20_000);
  expect(await holder()).toContain(`-${third.program.child.pid}-`);
  expect(Number(await epoch())).toBe(Number(epochBefore) + 1);

  // The state of its webhook is the last that a new RepoSync shows: whoever looks after webhooks announces it to the leader.
  await until("the third has shown all there is", () => showsWebhook("after-freeze"));
  await until("the third has nothing left to write", () => hasSettled(third, 3));
  const before = await versions();
  second.program.child.kill("SIGCONT");
  await until("it knows that it was replaced", async () => (await second.log()).includes("No longer leading."));
  expect(await versions()).toEqual(before);
  expect(await holder()).toContain(`-${third.program.child.pid}-`);
});
