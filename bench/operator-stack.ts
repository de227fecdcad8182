// A real control plane with the CRDs, a durable PostgreSQL, and operators as processes of their own, under an account whose
// every call the audit log has.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Database } from "../src/db/database.ts";
import { KubeApi } from "../src/kube/kube-api.ts";
import { loadKubeConfig } from "../src/kube/kube-config.ts";
import type { KubeObject } from "../src/kube/object.ts";
import { KubeTransport } from "../src/kube/transport.ts";
import { REPO_SYNC } from "../src/operator/kinds.ts";
import { type Cluster, connectCluster } from "../test/support/cluster.ts";
import { startControlPlane } from "../test/support/control-plane.ts";
import { openDatabaseStack } from "./engine-stack.ts";
import { buildProgram, type OperatorProcess, type OperatorStart, startOperatorProcess } from "./operator-process.ts";

const ACCOUNT = { namespace: "default", name: "operator" };
const CRDS = join(import.meta.dirname, "../crds");
const WRITES: ReadonlySet<string> = new Set(["create", "update", "patch", "delete", "deletecollection"]);
/** Objects are made this many at once. */
const MAKERS = 8;

export type OperatorStack = AsyncDisposable & {
  /** As an administrator, whose calls are not audited. */
  readonly cluster: Cluster;
  /** Calls as an operator makes them, and audited as its. */
  readonly asOperator: KubeApi;
  readonly database: Database;
  readonly databaseUrl: string;
  readonly folder: string;
  /** Where operators find the cluster, with the account's token. */
  readonly kubeconfig: string;
  startOperator(name: string, more?: Pick<OperatorStart, "settings" | "args">): Promise<OperatorProcess>;
  /** Makes so many RepoSyncs, `sync-<first>` and those after it, and the namespace with the first. Answers them. */
  createRepoSyncs(namespace: string, count: number, spec: object, first?: number): Promise<readonly KubeObject[]>;
  listRepoSyncs(namespace: string): Promise<readonly KubeObject[]>;
  /** Writes of the account so far, as `verb resource`. The Lease, which each leader renews, is not among them. */
  writes(): Promise<readonly string[]>;
};

export async function openOperatorStack(): Promise<OperatorStack> {
  await using stack = new AsyncDisposableStack();
  const { database, url: databaseUrl } = stack.use(await openDatabaseStack());
  const folder = await mkdtemp(join(tmpdir(), "coregit-bench-operator-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const main = await buildProgram(folder);
  const controlPlane = stack.use(await startControlPlane((line) => console.error(line)));
  const cluster = stack.use(await connectCluster({ ...controlPlane, crds: CRDS }));
  const kubeconfig = join(folder, "kubeconfig");
  await writeFile(kubeconfig, await accountConfig(cluster, controlPlane.kubeconfig), { mode: 0o600 });
  const transport = stack.use(new KubeTransport(loadKubeConfig({ path: kubeconfig }), "coregit-bench"));
  const owned = stack.move();
  return {
    cluster,
    asOperator: new KubeApi(transport, "coregit-operator"),
    database,
    databaseUrl,
    folder,
    kubeconfig,
    async startOperator(name, more = {}) {
      return owned.use(await startOperatorProcess({ name, main, folder, kubeconfig, databaseUrl, ...more }));
    },
    async createRepoSyncs(namespace, count, spec, first = 0) {
      if (first === 0) await cluster.kubectl("create", "namespace", namespace);
      const names = Array.from({ length: count }, (_, index) => `sync-${first + index}`);
      return await manyAtOnce(names, MAKERS, (name) => cluster.api.create(REPO_SYNC, namespace, { metadata: { name }, spec }));
    },
    async listRepoSyncs(namespace) {
      const found: KubeObject[] = [];
      await cluster.api.list(REPO_SYNC, namespace, (items) => found.push(...items));
      return found;
    },
    writes: () => writesIn(controlPlane.auditLog),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** `work` on each input, at most `most` at a time; outputs in the order of the inputs. */
export async function manyAtOnce<I, O>(inputs: readonly I[], most: number, work: (input: I) => Promise<O>): Promise<O[]> {
  const outputs: O[] = [];
  const entries = inputs.entries();
  const worker = async (): Promise<void> => {
    for (const [index, input] of entries) outputs[index] = await work(input);
  };
  await Promise.all(Array.from({ length: most }, worker));
  return outputs;
}

async function accountConfig({ api, transport, kubectl }: Cluster, adminConfig: string): Promise<string> {
  const { namespace, name } = ACCOUNT;
  const accounts = { group: "", version: "v1", plural: "serviceaccounts", kind: "ServiceAccount" };
  await api.create(accounts, namespace, { metadata: { name } });
  await kubectl("create", "clusterrolebinding", "bench", "--clusterrole=cluster-admin", `--serviceaccount=${namespace}:${name}`);
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
  const answer = await transport.call({ method: "POST", path, body: { spec: { expirationSeconds: 86_400 } } });
  const { token } = (answer as { readonly status: { readonly token: string } }).status;
  const admin = JSON.parse(await readFile(adminConfig, "utf8")) as Record<string, unknown>;
  return JSON.stringify({ ...admin, users: [{ name: "test", user: { token } }] });
}

type Audited = {
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly objectRef?: { readonly resource: string; readonly subresource?: string };
};

async function writesIn(auditLog: string): Promise<readonly string[]> {
  const lines = (await readFile(auditLog, "utf8")).split("\n").filter(Boolean);
  return lines
    .map((line) => JSON.parse(line) as Audited)
    .filter(({ user }) => user.username === `system:serviceaccount:${ACCOUNT.namespace}:${ACCOUNT.name}`)
    .filter(({ verb, objectRef }) => WRITES.has(verb) && objectRef?.resource !== "leases")
    .map(({ verb, objectRef }) => `${verb} ${[objectRef?.resource, objectRef?.subresource].filter(Boolean).join("/")}`);
}
