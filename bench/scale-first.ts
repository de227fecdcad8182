// An operator that finds thousands of resources at its start: how long until all of them are projected, against the same writes to
// the API server with nothing around them, and how long a person waits who changes something meanwhile. The RepoSyncs are
// suspended and without autoSync, so that what is measured is the operator, and neither runs nor webhooks.
import { setTimeout as delay } from "node:timers/promises";
import type { KubeApi } from "../src/kube/kube-api.ts";
import type { KubeObject } from "../src/kube/object.ts";
import { FINALIZER, REPO_SYNC } from "../src/operator/kinds.ts";
import { RECONCILES_AT_ONCE } from "../src/operator/kinds-at-work.ts";
import { type BenchRow, formatMs, timed } from "./measure.ts";
import { type OperatorProcess, untilOperator } from "./operator-process.ts";
import { manyAtOnce, type OperatorStack, openOperatorStack } from "./operator-stack.ts";
import { OBJECTS } from "./scale-objects.ts";

const SUSPENDED = { remote: "https://git.example.com/team/hello.git", suspend: true, autoSync: false };
const MOST_TIMES = 2;
const USER_LIMIT_MS = 2000;
/** Changes by a person while the operator is at it. */
const USER_CHANGES = 8;
const DEADLINE_MS = 300_000;

export async function benchScaleFirst(): Promise<readonly BenchRow[]> {
  await using stack = await openOperatorStack();
  const alone = await stack.createRepoSyncs("alone", OBJECTS, SUSPENDED);
  await stack.createRepoSyncs("first", OBJECTS, SUSPENDED);
  const aloneMs = await timed(() => manyAtOnce(alone, RECONCILES_AT_ONCE, (object) => writeAlone(stack.asOperator, object)));
  const startedMs = performance.now();
  const operator = await stack.startOperator("first", { args: ["--namespace", "first"] });
  await untilOperator(operator, async () => (await operator.progress()).reconciled > 0);
  const beganMs = performance.now();
  const served = changeByHand(stack);
  await untilOperator(operator, () => isThrough(stack, operator), DEADLINE_MS);
  const endedMs = performance.now();
  const userMs = Math.max(...(await served));
  const rssMb = await operator.rssMb();
  return [
    projection({ aloneMs, reconcileMs: endedMs - beganMs, sinceStartMs: endedMs - startedMs, cpuMs: await operator.cpuMs() }),
    {
      bench: "scale-first",
      what: `a person's change meanwhile until it shows, slowest of ${USER_CHANGES}`,
      result: formatMs(userMs),
      limit: `≤ ${USER_LIMIT_MS} ms`,
      isWithin: userMs <= USER_LIMIT_MS,
      figures: { userMs },
    },
    {
      bench: "scale-first",
      what: "memory of the operator right after it",
      result: `${Math.round(rssMb)} MB`,
      limit: "",
      isWithin: null,
      figures: { rssMb },
    },
  ];
}

type Times = { readonly aloneMs: number; readonly reconcileMs: number; readonly sinceStartMs: number; readonly cpuMs: number };

function projection(times: Times): BenchRow {
  const ratio = times.sinceStartMs / times.aloneMs;
  return {
    bench: "scale-first",
    what: `${OBJECTS} RepoSyncs from the start of the process until all are projected, against the same API writes alone`,
    result: `${formatMs(times.sinceStartMs)}, alone ${formatMs(times.aloneMs)}: ${ratio.toFixed(2)} ×`,
    limit: `≤ ${MOST_TIMES} ×`,
    isWithin: ratio <= MOST_TIMES,
    figures: { objects: OBJECTS, concurrency: RECONCILES_AT_ONCE, ratio, ...times },
  };
}

/** What the operator writes of a RepoSync that it sees for the first time. */
async function writeAlone(api: KubeApi, object: KubeObject): Promise<void> {
  const held = await api.patchMetadata(REPO_SYNC, object, { finalizers: [FINALIZER] });
  const condition = { type: "Ready", status: "False", reason: "Suspended", message: "Suspended before its first success." };
  const transition = { observedGeneration: 1, lastTransitionTime: "2026-01-01T00:00:00Z" };
  const conditions = [{ ...condition, ...transition }];
  const row = { syncId: "sync_0123456789abcdefghij", repository: object.metadata.name };
  await api.patchStatus(REPO_SYNC, held, { observedGeneration: 1, conditions, ...row });
}

/** The list is asked for only when so many were reconciled: it is work for the API server too. */
async function isThrough(stack: OperatorStack, operator: OperatorProcess): Promise<boolean> {
  await delay(500);
  const { reconciled } = await operator.progress();
  return reconciled >= OBJECTS && (await stack.listRepoSyncs("first")).every(isProjected);
}

/** Milliseconds from each change until the status is about it. */
async function changeByHand({ cluster: { api } }: OperatorStack): Promise<readonly number[]> {
  const times: number[] = [];
  for (let change = 1; change <= USER_CHANGES; change += 1) {
    // The last in the list are reconciled last.
    const name = { namespace: "first", name: `sync-${OBJECTS - change}` };
    const startedMs = performance.now();
    await api.patch(REPO_SYNC, name, { spec: { branch: `changed-${change}` } });
    while (!isShown(await api.get(REPO_SYNC, name))) await delay(50);
    times.push(performance.now() - startedMs);
  }
  return times;
}

function isShown(object: KubeObject | null): boolean {
  const { observedGeneration } = (object?.status ?? {}) as { readonly observedGeneration?: number };
  return object !== null && observedGeneration === object.metadata.generation;
}

function isProjected(object: KubeObject): boolean {
  return isShown(object) && object.metadata.finalizers?.includes(FINALIZER) === true;
}
