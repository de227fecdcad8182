// How long nobody reconciles after the leader went, asked to or killed, with a second operator waiting; and what a leader writes that
// was frozen in the middle of its work and wakes up when another one leads.
import { setTimeout as delay } from "node:timers/promises";
import type { KubeObject } from "../src/kube/object.ts";
import { REPO_SYNC } from "../src/operator/kinds.ts";
import { writtenVersions } from "../test/support/written-versions.ts";
import { type BenchRow, formatMs } from "./measure.ts";
import { type OperatorProcess, untilOperator } from "./operator-process.ts";
import { manyAtOnce, type OperatorStack, openOperatorStack } from "./operator-stack.ts";

const NAMESPACE = "leaders";
const ROUNDS = 3;
const LIMITS = { SIGTERM: 3000, SIGKILL: 20_000 } as const;
/** RepoSyncs of which a leader has done some when it is frozen. */
const FLOOD = 300;
const SUSPENDED = { remote: "https://git.example.com/team/hello.git", suspend: true, autoSync: false };
const LEADS = /^leader_election_master_status/;

type Signal = keyof typeof LIMITS;

export async function benchLeaderLost(): Promise<readonly BenchRow[]> {
  await using stack = await openOperatorStack();
  await stack.cluster.kubectl("create", "namespace", NAMESPACE);
  const times: Record<Signal, number[]> = { SIGTERM: [], SIGKILL: [] };
  let leader = await startCandidate(stack, "leader-0");
  await untilOperator(leader, async () => (await leader.metric(LEADS)) === 1);
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    for (let round = 1; round <= ROUNDS; round += 1) {
      const next = await startCandidate(stack, `after-${signal}-${round}`);
      leader.program.child.kill(signal);
      times[signal].push(await untilReconciled(stack, `${signal.toLowerCase()}-${round}`));
      leader = next;
    }
  }
  const late = await writesAfterFreeze(stack, leader);
  return [gap("SIGTERM", times.SIGTERM), gap("SIGKILL", times.SIGKILL), lateWrites(late)];
}

function gap(signal: Signal, times: readonly number[]): BenchRow {
  const slowestMs = Math.max(...times);
  return {
    bench: "leader-lost",
    what: `${signal} until a resource made then is reconciled, slowest of ${times.length}`,
    result: formatMs(slowestMs),
    limit: `≤ ${LIMITS[signal]} ms`,
    isWithin: slowestMs <= LIMITS[signal],
    figures: { slowestMs, fastestMs: Math.min(...times) },
  };
}

function lateWrites({ written, left }: { readonly written: number; readonly left: number }): BenchRow {
  return {
    bench: "leader-lost",
    what: `writes of a leader that wakes up replaced, frozen with ${left} of ${FLOOD} RepoSyncs before it`,
    result: String(written),
    limit: "0",
    isWithin: written === 0,
    figures: { written, left },
  };
}

async function startCandidate(stack: OperatorStack, name: string): Promise<OperatorProcess> {
  const operator = await stack.startOperator(name);
  await untilOperator(operator, operator.isReady);
  return operator;
}

async function untilReconciled({ cluster: { api } }: OperatorStack, name: string): Promise<number> {
  const startedMs = performance.now();
  await api.create(REPO_SYNC, NAMESPACE, { metadata: { name }, spec: SUSPENDED });
  while (!hasStatus(await api.get(REPO_SYNC, { namespace: NAMESPACE, name }))) {
    if (performance.now() - startedMs > 60_000) throw new Error(`${name} was reconciled by nobody`);
    await delay(20);
  }
  return performance.now() - startedMs;
}

function hasStatus(object: KubeObject | null): boolean {
  return ((object?.status ?? {}) as { readonly conditions?: unknown }).conditions !== undefined;
}

async function writesAfterFreeze(stack: OperatorStack, frozen: OperatorProcess): Promise<{ written: number; left: number }> {
  const { cluster, database } = stack;
  const next = await startCandidate(stack, "after-freeze");
  const names = Array.from({ length: FLOOD }, (_, index) => `flood-${index}`);
  const flood = manyAtOnce(names, 8, (name) => cluster.api.create(REPO_SYNC, NAMESPACE, { metadata: { name }, spec: SUSPENDED }));
  const before = (await frozen.progress()).reconciled;
  await untilOperator(frozen, async () => (await frozen.progress()).reconciled > before + FLOOD / 10);
  frozen.program.child.kill("SIGSTOP");
  await flood;
  const left = (await stack.listRepoSyncs(NAMESPACE)).filter((object) => !hasStatus(object)).length;
  await untilOperator(next, async () => (await stack.listRepoSyncs(NAMESPACE)).every(hasStatus));
  await untilOperator(next, async () => (await next.progress()).open === 0);
  const versions = new Set(await writtenVersions(cluster.api, database, NAMESPACE));
  frozen.program.child.kill("SIGCONT");
  await untilOperator(frozen, async () => (await frozen.log()).includes("No longer leading."));
  await delay(1000);
  const after = await writtenVersions(cluster.api, database, NAMESPACE);
  return { written: after.filter((version) => !versions.has(version)).length, left };
}
