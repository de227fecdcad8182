// An API server that breaks watches in every way known, against the operator's recovery. `COREGIT_BENCH_FAULTS` is how many times each.
// The operator's waits run twenty times as fast as in production, so a thousand of each take ten minutes; times are told in its own time,
// in which everything that does not wait (the network, this machine) counts twentyfold.

import { REFLECTOR_TIMING } from "../src/kube/reflector.ts";
import { CALL_TIMEOUT_MS } from "../src/kube/transport.ts";
import { type CampaignResult, runFaultCampaign } from "../test/support/api-fault-campaign.ts";
import { API_FAULTS, type ApiFault } from "../test/support/fault-proxy.ts";
import { type BenchRow, median } from "./measure.ts";
import { openOperatorStack } from "./operator-stack.ts";

const FAULTS = Number(process.env.COREGIT_BENCH_FAULTS ?? 1000);
const SPEED = 20;
const NAMESPACES = 8;
const RECOVERY_LIMIT_MS = 60_000;
const MOST_LISTS = 2;
/** Beside one a watch: the calls of all reconciles at once, and those that a fault has left to their deadline. */
const SPARE_SOCKETS = 60;

export async function benchApiFaults(): Promise<readonly BenchRow[]> {
  await using stack = await openOperatorStack();
  const namespaces = Array.from({ length: NAMESPACES }, (_, index) => `faults-${index}`);
  for (const namespace of namespaces) await stack.cluster.kubectl("create", "namespace", namespace);
  const result = await runFaultCampaign({
    api: stack.cluster.api,
    config: stack.cluster.newConfig(),
    databaseUrl: stack.databaseUrl,
    namespaces,
    faults: FAULTS,
    speed: SPEED,
  });
  return [...API_FAULTS.map((fault) => recoveryOf(result, fault)), socketsOf(result)];
}

/** Silence can be told from quiet only after some time. */
function noticedAfterMs(fault: ApiFault): number {
  if (fault === "silent") return REFLECTOR_TIMING.silenceMs;
  return fault === "half-open" ? CALL_TIMEOUT_MS : 0;
}

function recoveryOf({ outcomes }: CampaignResult, fault: ApiFault): BenchRow {
  const own = outcomes.filter((outcome) => outcome.fault === fault);
  const noticedMs = noticedAfterMs(fault);
  const times = own.map(({ recoveryMs }) => Math.max(0, recoveryMs - noticedMs));
  const slowestMs = Math.max(...times);
  const lists = Math.max(...own.map((outcome) => outcome.lists));
  const after = noticedMs === 0 ? "" : ` after the ${noticedMs / 1000} s in which it is noticed`;
  return {
    bench: "api-faults",
    what: `${fault}, ${own.length} times: slowest recovery${after}, most lists`,
    result: `${(slowestMs / 1000).toFixed(1)} s, ${lists} lists`,
    limit: `≤ ${RECOVERY_LIMIT_MS / 1000} s, ≤ ${MOST_LISTS} lists`,
    isWithin: slowestMs <= RECOVERY_LIMIT_MS && lists <= MOST_LISTS,
    figures: { faults: own.length, slowestMs, medianMs: median(times), lists, noticedMs, speed: SPEED },
  };
}

function socketsOf({ sockets, descriptors, outcomes }: CampaignResult): BenchRow {
  return {
    bench: "api-faults",
    what: `most connections to the API server at a time, over ${outcomes.length} faults; the process never ended`,
    result: `${sockets.most}, ${sockets.before} before; open files ${descriptors.before} before, ${descriptors.after} after`,
    limit: `≤ ${sockets.before + SPARE_SOCKETS}`,
    isWithin: sockets.most <= sockets.before + SPARE_SOCKETS,
    figures: { most: sockets.most, before: sockets.before, filesBefore: descriptors.before, filesAfter: descriptors.after },
  };
}
