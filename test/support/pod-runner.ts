// Stands in for the scheduler and the kubelet of one namespace, which the tests' control plane lacks: what the containers of pods
// would run is run as processes of the image's folder, their status is written back, and pods that are deleted go once their process
// has ended. Everything else about Jobs, Deployments and StatefulSets is left to their controllers.
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { collectionPath, type KubeObject, objectPath, type ResourceKind } from "../../src/kube/object.ts";
import type { PodSpec } from "./chart-pods.ts";
import { freePorts } from "./free-ports.ts";
import type { Image } from "./image.ts";
import { environmentOf, type PodSurroundings } from "./pod-environment.ts";
import { endedStatus, runningStatus } from "./pod-status.ts";
import type { RunningProgram } from "./running-program.ts";

const TURN_MS = 150;

const PODS: ResourceKind = { group: "", version: "v1", plural: "pods", kind: "Pod" };
const JOB_NAME = "batch.kubernetes.io/job-name";
const COMPONENT = "app.kubernetes.io/component";

export type Pod = KubeObject & { readonly spec: PodSpec };

export interface PodRunner extends AsyncDisposable {
  /** Names of the Jobs whose pods ended, in their order, with the exit codes. */
  readonly ended: readonly (readonly [string, number])[];
  /** The components of the pods that serve, one for each pod. */
  readonly serving: readonly string[];
  /** Base URL of the process of a pod that serves. */
  urlOf(component: string): string;
  /** What the processes have written, newest last. */
  logs(): Promise<string>;
}

export type PodRunnerOptions = PodSurroundings & { readonly image: Image };

export function startPodRunner(options: PodRunnerOptions): PodRunner {
  const runner = new Runner(options);
  const stop = new AbortController();
  const loop = runner.loop(stop.signal);
  return {
    ended: runner.ended,
    get serving() {
      return runner.serving().map(({ component }) => component);
    },
    urlOf(component) {
      const pod = runner.serving().find((each) => each.component === component);
      if (pod === undefined) throw new Error(`no pod of ${component} serves`);
      return pod.url;
    },
    async logs() {
      const texts = await Promise.all(runner.logPaths.map((path) => readFile(path, "utf8").catch(() => "")));
      return texts.join("");
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await loop;
    },
  };
}

type Life = {
  readonly component: string;
  readonly url: string;
  isReady: boolean;
  readonly end: AbortController;
  over: Promise<void>;
};

class Runner {
  readonly ended: (readonly [string, number])[] = [];
  readonly logPaths: string[] = [];
  readonly #options: PodRunnerOptions;
  /** By the pods' uids. */
  readonly #lives = new Map<string, Life>();

  constructor(options: PodRunnerOptions) {
    this.#options = options;
  }

  serving(): readonly Life[] {
    return [...this.#lives.values()].filter(({ isReady, end }) => isReady && !end.signal.aborted);
  }

  async loop(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#turn().catch(complain("a turn"));
      await delay(TURN_MS, undefined, { signal }).catch(() => undefined);
    }
    for (const { end } of this.#lives.values()) end.abort();
    await Promise.all([...this.#lives.values()].map(({ over }) => over));
  }

  async #turn(): Promise<void> {
    const answer = await this.#call("GET", collectionPath(PODS, this.#options.namespace));
    const pods = (answer as { readonly items: readonly Pod[] }).items;
    for (const pod of pods) {
      const life = this.#lives.get(pod.metadata.uid);
      if (pod.metadata.deletionTimestamp !== undefined) life?.end.abort();
      else if (life === undefined) await this.#begin(pod);
    }
    const uids = new Set(pods.map(({ metadata }) => metadata.uid));
    for (const [uid, { end }] of this.#lives) if (!uids.has(uid)) end.abort();
  }

  async #begin(pod: Pod): Promise<void> {
    const [port] = await freePorts(1);
    const component = pod.metadata.labels?.[COMPONENT] ?? "";
    const life: Life = {
      ...{ component, url: `http://127.0.0.1:${port}`, isReady: false },
      ...{ end: new AbortController(), over: Promise.resolve() },
    };
    this.#lives.set(pod.metadata.uid, life);
    life.over = this.#live(pod, life).catch(complain(pod.metadata.name));
  }

  async #live(pod: Pod, life: Life): Promise<void> {
    const { signal } = life.end;
    const target = { apiVersion: "v1", kind: "Node", name: "pod-runner" };
    await this.#call("POST", `${this.#pathOf(pod)}/binding`, { target, metadata: { name: pod.metadata.name } });
    // Only the evaluation database starts without arguments. The tests' own runs in its place.
    if (pod.spec.containers[0]?.args === undefined) {
      await this.#report(pod, runningStatus(pod, true));
    } else await this.#run(pod, life).catch(complain(pod.metadata.name));
    // A pod that ended stays until it is deleted, and one that is deleted until its kubelet says that it is over.
    if (!signal.aborted) await once(signal, "abort");
    await this.#call("DELETE", this.#pathOf(pod), { gracePeriodSeconds: 0, preconditions: { uid: pod.metadata.uid } }).catch(
      () => undefined,
    );
  }

  /** Until the process ends or the pod is deleted. */
  async #run(pod: Pod, life: Life): Promise<void> {
    const { signal } = life.end;
    await using program = await this.#start(pod, life.url);
    const exited = once(program.child, "exit", { signal }).catch(() => undefined);
    await this.#report(pod, runningStatus(pod, false));
    const isServer = pod.spec.containers[0]?.readinessProbe !== undefined;
    if (isServer && (await untilReady(life.url, program, signal))) {
      life.isReady = true;
      await this.#report(pod, runningStatus(pod, true));
    }
    await exited;
    life.isReady = false;
    const { exitCode } = program.child;
    if (signal.aborted) return;
    await this.#report(pod, endedStatus(pod, exitCode ?? 1));
    const job = pod.metadata.labels?.[JOB_NAME];
    if (job !== undefined) this.ended.push([job, exitCode ?? 1]);
  }

  async #start(pod: Pod, url: string): Promise<RunningProgram> {
    const place = await this.#options.image.newFolder(pod.metadata.name);
    const logPath = join(place, "log");
    this.logPaths.push(logPath);
    const env = { ...(await environmentOf(pod, place, this.#options)), COREGIT_LISTEN: new URL(url).host };
    return this.#options.image.start(pod.spec.containers[0]?.args ?? [], env, logPath);
  }

  #pathOf({ metadata }: Pod): string {
    return objectPath(PODS, { namespace: this.#options.namespace, name: metadata.name });
  }

  #report(pod: Pod, status: object): Promise<unknown> {
    return this.#call("PATCH", `${this.#pathOf(pod)}/status`, { status });
  }

  #call(method: "GET" | "POST" | "PATCH" | "DELETE", path: string, body?: object): Promise<unknown> {
    const content = body === undefined ? {} : { body };
    const type = method === "PATCH" ? { contentType: "application/merge-patch+json" } : {};
    return this.#options.cluster.transport.call({ method, path, ...content, ...type });
  }
}

/** A pod that went away between two calls is no failure of the test; what matters is missed by what waits for it. */
const complain = (what: string) => (error: unknown) => void process.stderr.write(`pod runner: ${what}: ${String(error)}\n`);

/** False when the process ended before, or is to. */
async function untilReady(url: string, { child }: RunningProgram, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted && child.exitCode === null && child.signalCode === null) {
    const isReady = await fetch(`${url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isReady) return true;
    await delay(TURN_MS, undefined, { signal }).catch(() => undefined);
  }
  return false;
}
