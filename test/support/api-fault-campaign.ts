// An operator in a process of its own behind a proxy that breaks its watches, again and again, in every way it knows. Each time a
// person's change is made while the watch is broken, and its arrival in the status is waited for. Many watches are broken side by side,
// each by one fault at a time, and the operator's waits run faster than in production, as nobody has the hours.
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { KubeApi } from "../../src/kube/kube-api.ts";
import type { KubeConfig } from "../../src/kube/kube-config.ts";
import type { KubeObject, ResourceKind } from "../../src/kube/object.ts";
import { CONNECTION, REPO_SYNC, REPOSITORY } from "../../src/operator/kinds.ts";
import { startChildProgram } from "./child-program.ts";
import { API_FAULTS, type ApiFault, type FaultProxy, startFaultProxy } from "./fault-proxy.ts";

export type CampaignOptions = {
  /** As an administrator, past the proxy. */
  readonly api: KubeApi;
  readonly config: KubeConfig;
  readonly databaseUrl: string;
  /** Exist, and are empty. */
  readonly namespaces: readonly string[];
  /** Of each kind of fault. */
  readonly faults: number;
  /** How many times as fast as in production the operator's waits end. */
  readonly speed: number;
};

export type FaultOutcome = {
  readonly fault: ApiFault;
  /** From the fault to the change in the status, in milliseconds of the operator's time. */
  readonly recoveryMs: number;
  readonly lists: number;
};

export type CampaignResult = {
  readonly outcomes: readonly FaultOutcome[];
  /** Connections to the API server: with all watches open before the first fault, and the most at a time. */
  readonly sockets: { readonly before: number; readonly most: number };
  /** Files and sockets that the process held open, before and after. */
  readonly descriptors: { readonly before: number; readonly after: number };
};

const SPECS: readonly (readonly [ResourceKind, (turn: number) => object])[] = [
  [REPO_SYNC, (turn) => ({ remote: "https://git.example.com/a/b.git", suspend: true, autoSync: false, branch: `turn-${turn}` })],
  [CONNECTION, (turn) => ({ provider: "git", baseUrl: `https://git-${turn}.example.com` })],
  [REPOSITORY, (turn) => ({ description: `turn ${turn}` })],
];
const NAME = "tried";
const POLL_MS = 5;
/** In real time; each fault ends within tens of seconds of the operator's. */
const GIVE_UP_MS = 60_000;

/** @throws Error when a change never arrives or the operator ends. */
export async function runFaultCampaign(options: CampaignOptions): Promise<CampaignResult> {
  await using stack = new AsyncDisposableStack();
  const proxy = stack.use(await startFaultProxy(options.config));
  const folder = await mkdtemp(join(tmpdir(), "coregit-api-faults-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const kubeconfig = join(folder, "kubeconfig");
  await writeFile(kubeconfig, proxyConfig(proxy));
  const args = [kubeconfig, options.databaseUrl, String(options.speed), ...options.namespaces];
  const operator = stack.use(startChildProgram("hurried-operator.ts", args));
  await operator.firstLine;
  const ended = operator.exitCode.then((code) => {
    throw new Error(`the operator ended with ${code}`);
  });
  const lanes = options.namespaces.flatMap((namespace) => SPECS.map(([kind, spec]) => ({ namespace, kind, spec })));
  const tried = lanes.map((lane) => new TriedLane(options, proxy, lane));
  await Promise.race([ended, Promise.all(tried.map((lane) => lane.prepare()))]);
  const before = { sockets: proxy.sockets.open, descriptors: await descriptorsOf(operator.pid) };
  const todo = API_FAULTS.flatMap((fault) => Array.from({ length: options.faults }, () => fault)).values();
  const outcomes: FaultOutcome[] = [];
  const work = tried.map(async (lane) => {
    for (const fault of todo) outcomes.push(await lane.suffer(fault));
  });
  await Promise.race([ended, Promise.all(work)]);
  ended.catch(() => undefined);
  const after = await descriptorsOf(operator.pid);
  return {
    outcomes,
    sockets: { before: before.sockets, most: proxy.sockets.most },
    descriptors: { before: before.descriptors, after },
  };
}

type Lane = { readonly namespace: string; readonly kind: ResourceKind; readonly spec: (turn: number) => object };

/** One watch, and the one object in it. */
class TriedLane {
  readonly #options: CampaignOptions;
  readonly #proxy: FaultProxy;
  readonly #lane: Lane;
  readonly #name: string;
  #turn = 0;

  constructor(options: CampaignOptions, proxy: FaultProxy, lane: Lane) {
    this.#options = options;
    this.#proxy = proxy;
    this.#lane = lane;
    this.#name = `${lane.namespace}/${lane.kind.plural}`;
  }

  async prepare(): Promise<void> {
    const { namespace, kind, spec } = this.#lane;
    await this.#options.api.create(kind, namespace, { metadata: { name: NAME }, spec: spec(0) });
    await this.#untilShown();
    await this.#until(() => this.#proxy.isWatching(this.#name));
  }

  async suffer(fault: ApiFault): Promise<FaultOutcome> {
    const { namespace, kind, spec } = this.#lane;
    const { api, speed } = this.#options;
    this.#turn += 1;
    await this.#until(() => this.#proxy.isWatching(this.#name));
    const listsBefore = this.#proxy.lists(this.#name);
    const startedMs = performance.now();
    this.#proxy.inject(this.#name, fault);
    await api.patch(kind, { namespace, name: NAME }, { spec: spec(this.#turn) });
    await this.#untilShown();
    const recoveryMs = (performance.now() - startedMs) * speed;
    return { fault, recoveryMs, lists: this.#proxy.lists(this.#name) - listsBefore };
  }

  async #untilShown(): Promise<void> {
    const { namespace, kind } = this.#lane;
    await this.#until(async () => isShown(await this.#options.api.get(kind, { namespace, name: NAME })));
  }

  async #until(condition: () => boolean | Promise<boolean>): Promise<void> {
    const endMs = performance.now() + GIVE_UP_MS;
    while (!(await condition())) {
      if (performance.now() > endMs) throw new Error(`${this.#name} did not recover in its turn ${this.#turn}`);
      await delay(POLL_MS);
    }
  }
}

function isShown(object: KubeObject | null): boolean {
  const { observedGeneration } = (object?.status ?? {}) as { readonly observedGeneration?: number };
  return object !== null && observedGeneration === object.metadata.generation;
}

function proxyConfig({ url: server }: FaultProxy): string {
  return JSON.stringify({
    "current-context": "proxy",
    clusters: [{ name: "proxy", cluster: { server, "insecure-skip-tls-verify": true } }],
    users: [{ name: "proxy", user: {} }],
    contexts: [{ name: "proxy", context: { cluster: "proxy", user: "proxy" } }],
  });
}

async function descriptorsOf(pid: number): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`)).length;
}
