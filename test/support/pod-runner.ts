// Stands in for the kubelet and the controllers of one namespace, which the tests' control plane lacks: what the pods of Jobs and
// Deployments would run is run as processes of the image's folder, with the variables, the ServiceAccount token and the restarts
// that the objects ask for, and their status is written back. StatefulSets count as ready at once.
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { collectionPath, type KubeObject, objectPath, type ResourceKind } from "../../src/kube/object.ts";
import type { PodSpec } from "./chart-pods.ts";
import type { Cluster } from "./cluster.ts";
import type { Image } from "./image.ts";
import { freePorts, type RunningProgram } from "./running-program.ts";
import { knowSecret } from "./secrets/evidence.ts";
import { endedStatus, readyStatus } from "./workload-status.ts";

const TURN_MS = 150;

const JOBS: ResourceKind = { group: "batch", version: "v1", plural: "jobs", kind: "Job" };
const DEPLOYMENTS: ResourceKind = { group: "apps", version: "v1", plural: "deployments", kind: "Deployment" };
const STATEFUL_SETS: ResourceKind = { group: "apps", version: "v1", plural: "statefulsets", kind: "StatefulSet" };

export interface PodRunner extends AsyncDisposable {
  /** Names of the Jobs that ended, in their order, with their exit codes. */
  readonly ended: readonly (readonly [string, number])[];
  /** Names of the Deployments whose process runs. */
  readonly running: readonly string[];
  /** Base URL of the process of a Deployment. */
  urlOf(deployment: string): string;
  /** What the processes have written, newest last. */
  logs(): Promise<string>;
}

export type PodRunnerOptions = {
  readonly cluster: Cluster;
  readonly image: Image;
  readonly kubeconfig: string;
  readonly namespace: string;
  /** Changes the value of a variable, for names that resolve in a cluster only. */
  readonly resolve?: (value: string) => string;
};

type Workload = KubeObject & {
  readonly spec: { readonly template: { readonly spec: PodSpec } };
  readonly status?: { readonly conditions?: readonly { readonly type: string }[] };
};

type Running = { readonly program: RunningProgram; readonly url: string; readonly template: string; reported: number };

export function startPodRunner(options: PodRunnerOptions): PodRunner {
  const runner = new Runner(options);
  const stop = new AbortController();
  const loop = runner.loop(stop.signal);
  return {
    ended: runner.ended,
    get running() {
      return [...runner.deployments.keys()];
    },
    urlOf(deployment) {
      const running = runner.deployments.get(deployment);
      if (running === undefined) throw new Error(`${deployment} does not run`);
      return running.url;
    },
    async logs() {
      const texts = await Promise.all(runner.logPaths.map((path) => readFile(path, "utf8").catch(() => "")));
      return texts.join("");
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await loop;
      await Promise.all([...runner.deployments.values()].map(({ program }) => program[Symbol.asyncDispose]()));
    },
  };
}

class Runner {
  readonly ended: (readonly [string, number])[] = [];
  readonly deployments = new Map<string, Running>();
  readonly logPaths: string[] = [];
  readonly #options: PodRunnerOptions;
  readonly #jobs = new Map<string, Promise<void>>();
  #pods = 0;

  constructor(options: PodRunnerOptions) {
    this.#options = options;
  }

  async loop(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#turn().catch((error: unknown) => {
        // An object that went away between two calls is no failure of the test.
        if (!signal.aborted) process.stderr.write(`pod runner: ${String(error)}\n`);
      });
      await delay(TURN_MS, undefined, { signal }).catch(() => undefined);
    }
    await Promise.all(this.#jobs.values());
  }

  async #turn(): Promise<void> {
    for (const job of await this.#list(JOBS)) this.#startJob(job);
    for (const set of await this.#list(STATEFUL_SETS)) await this.#report(STATEFUL_SETS, set, readyStatus(set));
    const wanted = await this.#list(DEPLOYMENTS);
    for (const [name, { program }] of this.deployments) {
      if (wanted.some(({ metadata }) => metadata.name === name)) continue;
      this.deployments.delete(name);
      await program[Symbol.asyncDispose]();
    }
    for (const deployment of wanted) await this.#keepRunning(deployment);
  }

  #startJob(job: Workload): void {
    const { uid, name } = job.metadata;
    if (this.#jobs.has(uid)) return;
    const work = async (): Promise<void> => {
      await using program = await this.#start(job, {});
      const { child } = program;
      const code = child.exitCode ?? Number((await once(child, "exit"))[0] ?? 1);
      this.ended.push([name, code]);
      await this.#report(JOBS, job, endedStatus(code === 0));
    };
    this.#jobs.set(
      uid,
      work().catch((error: unknown) => void process.stderr.write(`pod runner: ${name}: ${String(error)}\n`)),
    );
  }

  /** One process of the current template, reported once it is ready; the one before it goes then. */
  async #keepRunning(deployment: Workload): Promise<void> {
    const { name, generation = 0 } = deployment.metadata;
    const template = JSON.stringify(deployment.spec.template);
    const known = this.deployments.get(name);
    if (known?.template !== template) {
      const [port] = await freePorts(1);
      const listen = `127.0.0.1:${port}`;
      const program = await this.#start(deployment, { COREGIT_LISTEN: listen });
      this.deployments.set(name, { program, url: `http://${listen}`, template, reported: 0 });
      await known?.program[Symbol.asyncDispose]();
      return;
    }
    if (known.reported === generation || !(await isReady(known.url))) return;
    await this.#report(DEPLOYMENTS, deployment, readyStatus(deployment));
    known.reported = generation;
  }

  async #start(workload: Workload, more: Readonly<Record<string, string>>): Promise<RunningProgram> {
    const { spec } = workload.spec.template;
    const [container] = spec.containers;
    this.#pods += 1;
    const place = await this.#options.image.newFolder(`${workload.metadata.name}-${this.#pods}`);
    const logPath = join(place, "log");
    this.logPaths.push(logPath);
    const env = { ...(await this.#variables(spec)), ...(await this.#token(spec, place)), COREGIT_DATA_DIR: place, ...more };
    return this.#options.image.start(container?.args ?? [], env, logPath);
  }

  /** As the kubelet resolves them. @throws when a Secret or a key is missing, as a pod would not start. */
  async #variables({ containers }: PodSpec): Promise<Record<string, string>> {
    const { cluster, namespace, resolve = (value: string) => value } = this.#options;
    const variables: Record<string, string> = {};
    for (const { name, value = "", valueFrom } of containers[0]?.env ?? []) {
      const reference = valueFrom?.secretKeyRef;
      if (reference === undefined) {
        // Pods have an address each; these processes share one.
        variables[name] = name === "COREGIT_METRICS_LISTEN" ? "127.0.0.1:0" : resolve(value);
        continue;
      }
      const text = await cluster.kubectl(
        ...["get", "secret", reference.name, "--namespace", namespace],
        `--output=go-template={{index .data "${reference.key}" | base64decode}}`,
      );
      variables[name] = resolve(text);
    }
    return variables;
  }

  /** A kubeconfig with a token of the pod's account, where the pod asks for one. */
  async #token({ automountServiceAccountToken, serviceAccountName }: PodSpec, place: string): Promise<Record<string, string>> {
    if (automountServiceAccountToken === false) return {};
    const { cluster, kubeconfig, namespace } = this.#options;
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${serviceAccountName}/token`;
    const answer = await cluster.transport.call({ method: "POST", path, body: { spec: { expirationSeconds: 3600 } } });
    const { token } = (answer as { readonly status: { readonly token: string } }).status;
    knowSecret("the token of a ServiceAccount", token);
    const admin = JSON.parse(await readFile(kubeconfig, "utf8")) as Record<string, unknown>;
    const contexts = [{ name: "test", context: { cluster: "test", user: "test", namespace } }];
    const file = join(place, "kubeconfig");
    // The folder is the pod's own.
    await writeFile(file, JSON.stringify({ ...admin, users: [{ name: "test", user: { token } }], contexts }), { mode: 0o644 });
    return { KUBECONFIG: file };
  }

  async #list(kind: ResourceKind): Promise<readonly Workload[]> {
    const { cluster, namespace } = this.#options;
    const answer = await cluster.transport.call({ method: "GET", path: collectionPath(kind, namespace) });
    return (answer as { readonly items: readonly Workload[] }).items;
  }

  async #report(kind: ResourceKind, { metadata }: Workload, status: object): Promise<void> {
    const { cluster, namespace } = this.#options;
    const path = `${objectPath(kind, { namespace, name: metadata.name })}/status`;
    await cluster.transport.call({ method: "PATCH", path, body: { status }, contentType: "application/merge-patch+json" });
  }
}

function isReady(url: string): Promise<boolean> {
  return fetch(`${url}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  );
}
