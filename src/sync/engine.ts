// The engine: workers that run due syncs. Responsible for putting its parts together, for what wakes it, and for ending in
// order; each part is a file of its own. Any number of engines may work on one database.
import { CHANNELS } from "../db/database.ts";
import type { ClaimedSync } from "../db/sync-leases.ts";
import { CoregitError } from "../domain/errors.ts";
import { type ProgressBoard, unwatched } from "../domain/progress.ts";
import { noTracer, type Tracer } from "../domain/tracer.ts";
import { type EngineMetrics, noEngineMetrics } from "./engine-metrics.ts";
import { watchExports } from "./export-watch.ts";
import { LeaseKeeper } from "./lease-keeper.ts";
import { pause } from "./pause.ts";
import type { RunDependencies } from "./run.ts";
import { runSync } from "./run-sync.ts";
import { WorkLoop } from "./work-loop.ts";

/** A worker that died is replaced after this long; a database that restarts (seconds) costs no lease. */
const DEFAULT_LEASE_MS = 30_000;
/** A round of the claim loop is three statements, each of which the database ends after 30 s, and waits for a connection. */
const MAX_ROUND_MS = 180_000;
/** Below the 30 s that Kubernetes gives a pod, with room for recording what is stopped. */
const DEFAULT_GRACE_MS = 20_000;

export type EngineOptions = Omit<RunDependencies, "tracer"> & {
  /** Default: no traces. */
  readonly tracer?: Tracer;
  /** Runs at a time in this process. */
  readonly workers: number;
  /** Unlike that of any other process that ever worked on this database, so that a restarted worker finds its leases dead. */
  readonly instanceId: string;
  /** True when no other process can be working on this database: leases that are found at the start are dead. */
  readonly isOnlyWorker?: boolean;
  readonly metrics?: EngineMetrics;
  /** Follows the claim loop. */
  readonly progress?: ProgressBoard;
  readonly leaseMs?: number;
  /** How long runs may go on once the engine is disposed of, before they are stopped and made due again. */
  readonly graceMs?: number;
};

export interface Engine extends AsyncDisposable {
  /** Begins to claim. Resolves when changes are being listened for. */
  start(): Promise<void>;
  /** Resolves when nothing runs here and nothing is due. */
  drain(): Promise<void>;
}

/** Makes an engine that does nothing before `start`. Disposal claims no more, lets runs end within the grace and stops the rest. */
export function openEngine(options: EngineOptions): Engine {
  const { database, clock, logger, instanceId: owner, metrics = noEngineMetrics, leaseMs = DEFAULT_LEASE_MS } = options;
  const deps: RunDependencies = { ...options, tracer: options.tracer ?? noTracer };
  const stack = new AsyncDisposableStack();
  const keeper = stack.use(new LeaseKeeper({ database, owner, leaseMs, clock, logger }));
  const stop = new AbortController();

  const run = async (claim: ClaimedSync): Promise<void> => {
    metrics.claimed(claim.lagMs);
    const lost = new AbortController();
    using _kept = keeper.keep({
      lease: claim.lease,
      generation: claim.generation,
      stop: (reason) => lost.abort(reason),
    });
    await runSync({ deps, metrics, leaseMs }, claim, AbortSignal.any([stop.signal, lost.signal]));
  };
  const loop = new WorkLoop({
    database,
    owner,
    workers: options.workers,
    leaseMs,
    heartbeat: options.progress?.follow("claim loop", MAX_ROUND_MS) ?? unwatched,
    random: options.random,
    logger,
    isOnlyWorker: options.isOnlyWorker ?? false,
    run,
  });

  const onChanged = (syncId: string): void => {
    if (keeper.isKeeping(syncId)) void keeper.check();
  };
  return {
    async start() {
      const due = { onMessage: () => loop.wake(), onGap: () => loop.wake() };
      stack.use(await database.listen(CHANNELS.syncDue, due));
      stack.use(await database.listen(CHANNELS.syncChanged, { onMessage: onChanged, onGap: () => void keeper.check() }));
      stack.use(await watchExports({ database, logger }));
      loop.start();
    },
    drain: () => loop.drained(),
    async [Symbol.asyncDispose]() {
      await loop.stop();
      const grace = new AbortController();
      const finished = loop.finished().finally(() => grace.abort());
      await pause(options.graceMs ?? DEFAULT_GRACE_MS, grace.signal);
      stop.abort(new CoregitError("Interrupted", "The worker was stopped during the run; it is run again."));
      await finished;
      await stack.disposeAsync();
    },
  };
}
