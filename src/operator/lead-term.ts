// What a leader does from the moment it leads until it no longer does: take the next epoch, reconcile everything once, then
// what changes, in the cluster or in the rows. All of it writes through the fence of its epoch.
import { CHANNELS, type Database } from "../db/database.ts";
import { fencedDatabase, takeEpoch } from "../db/operator-epoch.ts";
import type { Clock, Random } from "../domain/clock.ts";
import type { Logger } from "../domain/log.ts";
import { Backoff } from "../kube/backoff.ts";
import { Controller } from "../kube/controller.ts";
import type { EventRecorder } from "../kube/event-recorder.ts";
import type { KubeApi } from "../kube/kube-api.ts";
import type { ObjectStore } from "../kube/object-store.ts";
import type { RuntimeMetrics } from "../kube/runtime-metrics.ts";
import { pause, type Timers } from "../kube/timers.ts";
import { WorkQueue } from "../kube/work-queue.ts";
import type { Declarations } from "../sync/declarations.ts";
import { createConnectionProjector } from "./connection-projector.ts";
import { withdrawOrphans } from "./orphans.ts";
import { createReconcile, type Projector } from "./reconcile-resource.ts";
import { createRepoSyncProjector } from "./repo-sync-projector.ts";
import { createRepositoryProjector } from "./repository-projector.ts";
import { RowIndex } from "./row-index.ts";
import { isDeclarationChange, type Watches } from "./watches.ts";

export type LeadTermOptions = {
  readonly api: KubeApi;
  readonly events: EventRecorder;
  readonly watches: Watches;
  readonly database: Database;
  readonly declarationsOver: (database: Database) => Declarations;
  readonly namespaces: readonly string[];
  readonly publicUrl: string | null;
  readonly identity: string;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: RuntimeMetrics;
};

/** A reconcile is a handful of calls; each has a shorter deadline of its own. */
const RECONCILE_DEADLINE_MS = 120_000;
const CONCURRENCY = 4;
/** Pushes come in bursts; what a repository shows of them is written once a burst. */
const REF_SETTLE_MS = 1000;
const START_RETRY = { firstMs: 500, longestMs: 15_000, resetAfterMs: 120_000 };

/** Runs until `lost` aborts. Never throws: what is not there yet is waited for. */
export async function leadTerm(options: LeadTermOptions, lost: AbortSignal): Promise<void> {
  const { timers, logger } = options;
  const backoff = new Backoff(START_RETRY, options.clock, options.random);
  while (!lost.aborted) {
    try {
      await using _term = await startTerm(options, lost);
      await aborted(lost);
    } catch (error) {
      logger.warn({ error }, "the leader cannot start yet");
      await pause(timers, backoff.nextMs(), lost);
    }
  }
}

async function startTerm(options: LeadTermOptions, lost: AbortSignal): Promise<AsyncDisposable> {
  await Promise.race([options.watches.synced(), aborted(lost)]);
  await using stack = new AsyncDisposableStack();
  if (lost.aborted) return stack.move();
  const epoch = await takeEpoch(options.database, options.identity);
  const fenced = fencedDatabase(options.database, epoch);
  const term = { ...options, database: fenced, declarations: options.declarationsOver(fenced) };
  options.logger.info({ epoch }, "reconciling as leader");
  const kinds = startKinds(term, stack);
  await listenTo(options.database, kinds, stack);
  await withdrawOrphans(term);
  return stack.move();
}

type Term = LeadTermOptions & { readonly declarations: Declarations };

/** One kind at work. */
type KindAtWork = { readonly queue: WorkQueue; readonly index: RowIndex; readonly store: ObjectStore };

type KindsAtWork = { readonly repoSyncs: KindAtWork; readonly connections: KindAtWork; readonly repositories: KindAtWork };

function startKinds(term: Term, stack: AsyncDisposableStack): KindsAtWork {
  const { watches } = term;
  const make = (store: ObjectStore): KindAtWork => ({ queue: new WorkQueue(term), index: new RowIndex(), store });
  const kinds = {
    connections: make(watches.connections),
    repositories: make(watches.repositories),
    repoSyncs: make(watches.repoSyncs),
  };
  const onCredentialRefused = (key: string): void => kinds.connections.queue.add(key, "background");
  const projectors: readonly (readonly [KindAtWork, Projector])[] = [
    [kinds.connections, createConnectionProjector({ ...term, index: kinds.connections.index })],
    [kinds.repositories, createRepositoryProjector({ ...term, index: kinds.repositories.index })],
    [kinds.repoSyncs, createRepoSyncProjector({ ...term, index: kinds.repoSyncs.index, onCredentialRefused })],
  ];
  for (const [kind, projector] of projectors) startKind(term, kind, projector, stack);
  return kinds;
}

function startKind(term: Term, { queue, store }: KindAtWork, projector: Projector, stack: AsyncDisposableStack): void {
  const { clock, metrics, logger } = term;
  const controller = stack.use(
    new Controller({
      name: projector.resource.kind.toLowerCase(),
      queue,
      reconcile: createReconcile(term, projector),
      concurrency: CONCURRENCY,
      deadlineMs: RECONCILE_DEADLINE_MS,
      clock,
      logger,
      metrics,
    }),
  );
  stack.use(
    store.subscribe((change) => {
      if (change.type === "resync") queue.add(change.key, "background");
      else if (isDeclarationChange(change)) queue.add(change.key, "user");
    }),
  );
  for (const key of store.keys()) queue.add(key, "background");
  controller.start();
}

/** Rows that change by themselves: runs, checks of credentials, pushes. */
async function listenTo(database: Database, kinds: KindsAtWork, stack: AsyncDisposableStack): Promise<void> {
  const listen = async (channel: string, { queue, index, store }: KindAtWork, settleMs: number): Promise<void> => {
    const handlers = {
      onMessage(rowId: string): void {
        const key = index.keyOf(rowId);
        if (key === null) return;
        if (settleMs === 0) queue.add(key, "user");
        else queue.addAfter(key, settleMs);
      },
      onGap(): void {
        for (const key of store.keys()) queue.add(key, "background");
      },
    };
    stack.use(await database.listen(channel, handlers));
  };
  await listen(CHANNELS.syncChanged, kinds.repoSyncs, 0);
  await listen(CHANNELS.connectionChanged, kinds.connections, 0);
  await listen(CHANNELS.refMoved, kinds.repositories, REF_SETTLE_MS);
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
