// A control plane of its own with its controllers, the chart's namespace, something that runs its pods, an empty database, and a
// remote to import.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ResourceKind } from "../../src/kube/object.ts";
import { type Cluster, clusterAt } from "./cluster.ts";
import { startControlPlane } from "./control-plane.ts";
import { createEmptyTestDatabase, type TestDatabase } from "./database.ts";
import { CHART, type Helm, openHelm, RELEASE } from "./helm.ts";
import { makeImage } from "./image.ts";
import { type PodRunner, startPodRunner } from "./pod-runner.ts";
import { knowSecretsIn } from "./secrets/declared-secrets.ts";
import { createSourceRepository, type SourceRepository } from "./source-repository.ts";
import { serveSource } from "./test-remotes.ts";

export const NAMESPACE = "coregit";
/** Where the chart's own database would be. */
const CHART_DATABASE = "@coregit-postgresql:5432/coregit";

export interface ChartWorld extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly helm: Helm;
  readonly runner: PodRunner;
  readonly database: TestDatabase;
  readonly source: SourceRepository;
  readonly remoteUrl: string;
  readonly auditLog: string;
  /** `helm <command> coregit charts/coregit --wait` with these values. */
  deploy(command: "install" | "upgrade", values: object): Promise<string>;
  /** What has the release's label or is in its namespace, of every kind that can be listed but Events, as `kind/name`. */
  leftovers(): Promise<readonly string[]>;
  secret(name: string): Promise<Readonly<Record<string, string>>>;
  /** Creates the object, or changes it. */
  apply(object: object): Promise<void>;
}

const SECRETS: ResourceKind = { group: "", version: "v1", plural: "secrets", kind: "Secret" };

const WAIT = ["--namespace", NAMESPACE, "--wait", "--timeout", "4m"];

export async function openChartWorld(): Promise<ChartWorld> {
  await using stack = new AsyncDisposableStack();
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const controlPlane = stack.use(await startControlPlane(say, { controllers: true }));
  const { kubeconfig, auditLog } = controlPlane;
  const cluster = stack.use(clusterAt(controlPlane));
  const helm = await openHelm(kubeconfig);
  const image = stack.use(await makeImage());
  const database = stack.use(await createEmptyTestDatabase());
  const source = stack.use(await createSourceRepository());
  await source.commit({ "README.md": "Hello\n", "docs/a.md": "A\n" });
  const server = stack.use(await serveSource(source, { basicAuth: { username: "ann", password: "first-password" } }));
  const folder = await mkdtemp(join(tmpdir(), "coregit-chart-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  await cluster.kubectl("create", "namespace", NAMESPACE);
  await cluster.kubectl(
    ...["wait", "--for=create", "serviceaccount/default", "configmap/kube-root-ca.crt"],
    ...["--namespace", NAMESPACE, "--timeout=60s"],
  );
  const resolve = (value: string) => (value.endsWith(CHART_DATABASE) ? database.url : value);
  const runner = stack.use(startPodRunner({ cluster, image, kubeconfig, namespace: NAMESPACE, resolve }));
  const written = async (content: object): Promise<string> => {
    const file = join(folder, `${process.hrtime.bigint()}.json`);
    await writeFile(file, JSON.stringify(content), { mode: 0o600 });
    return file;
  };
  const owned = stack.move();
  return {
    cluster,
    helm,
    runner,
    database,
    source,
    remoteUrl: server.remoteUrl,
    auditLog,
    async deploy(command, values) {
      const file = await written({ allowedHosts: ["127.0.0.0/8"], ...values });
      return await helm.run(command, RELEASE, CHART, "--values", file, ...WAIT).catch(async (error: unknown) => {
        throw new Error(`the pods wrote: ${await runner.logs()}`, { cause: error });
      });
    },
    leftovers: () => listLeft(cluster),
    async secret(name) {
      const object = await cluster.api.get(SECRETS, { namespace: NAMESPACE, name });
      const { data = {} } = (object ?? {}) as { readonly data?: Readonly<Record<string, string>> };
      const entries = Object.entries(data).map(([key, value]) => [key, Buffer.from(value, "base64").toString()] as const);
      const values = Object.fromEntries(entries);
      knowSecretsIn("the chart's Secret", values);
      return values;
    },
    async apply(object) {
      await cluster.kubectl("apply", "--server-side", "--filename", await written(object));
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function listLeft({ kubectl }: Cluster): Promise<readonly string[]> {
  const kindsOf = async (...args: string[]): Promise<string> => {
    const names = (await kubectl("api-resources", "--verbs=list", "--output=name", ...args)).trim().split("\n");
    return names.filter((name) => !/^events(?:\.|$)/.test(name)).join(",");
  };
  const selector = `--selector=app.kubernetes.io/instance=${RELEASE}`;
  const found = await Promise.all([
    kubectl("get", await kindsOf(), "--all-namespaces", selector, "--output=name"),
    kubectl("get", await kindsOf("--namespaced"), "--namespace", NAMESPACE, "--output=name"),
  ]);
  return [...new Set(found.join("\n").split("\n").filter(Boolean))].sort();
}
