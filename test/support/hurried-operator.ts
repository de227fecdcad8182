// An operator as a process of its own for which time runs faster: its waits and deadlines are those of production, and a second of them
// takes a fraction of one. Arguments: the kubeconfig, the database's URL, how many times as fast, and namespaces. Prints a line
// when its caches are full.
import { openPostgres } from "../../src/db/postgres.ts";
import { systemClock } from "../../src/domain/clock.ts";
import { loadKubeConfig } from "../../src/kube/kube-config.ts";
import { LEASE_TIMING } from "../../src/kube/leader-lease.ts";
import { noRuntimeMetrics } from "../../src/kube/runtime-metrics.ts";
import { systemTimers } from "../../src/kube/timers.ts";
import { openOperator } from "../../src/operator/operator.ts";
import { openDeclarations } from "../../src/sync/open-declarations.ts";
import { silentLogger } from "./silent-logger.ts";

const [kubeconfig = "", databaseUrl = "", times = "", ...namespaces] = process.argv.slice(2);
const speed = Number(times);

const database = openPostgres({ url: databaseUrl, logger: silentLogger });
await using operator = openOperator({
  kubeConfig: loadKubeConfig({ path: kubeconfig }),
  database,
  declarationsOver: (fenced) =>
    // No resource here has a credential, and none is deleted.
    openDeclarations({ database: fenced, keys: [], store: Object.create(null) }),
  namespaces,
  publicUrl: null,
  identity: "hurried",
  version: "0.0.0-test",
  leaseNamespace: namespaces[0] ?? "default",
  clock: { now: () => systemClock.now(), monotonic: () => systemClock.monotonic() * speed },
  timers: { after: (delayMs, work) => systemTimers.after(delayMs / speed, work) },
  random: Math.random,
  logger: silentLogger,
  metrics: noRuntimeMetrics,
  // The lease is not what is tried: it has the time that it would have.
  leaseTiming: {
    durationMs: LEASE_TIMING.durationMs * speed,
    renewDeadlineMs: LEASE_TIMING.renewDeadlineMs * speed,
    retryMs: LEASE_TIMING.retryMs * speed,
  },
});
await operator.synced;
process.stdout.write("ready\n");
const stop = Promise.withResolvers<void>();
// Timers of the runtime keep no process alive.
const alive = setInterval(() => undefined, 60_000);
process.on("SIGTERM", () => stop.resolve());
await stop.promise;
clearInterval(alive);
