// What the runtime counts, as a port: the names behind it are those of controller-runtime.

export interface RuntimeMetrics {
  /** One reconcile ended. `timedOut`: its deadline had passed. */
  reconciled(controller: string, result: "success" | "error" | "requeue_after", durationMs: number, timedOut: boolean): void;
  /** A key was added; `depth` keys wait now. */
  queued(controller: string, depth: number): void;
  /** A key was taken after `waitedMs`; `depth` keys still wait. */
  taken(controller: string, waitedMs: number, depth: number): void;
  /** The queue was given up, with what still waited in it. */
  emptied(controller: string): void;
  retried(controller: string): void;
  /** Differences that a list found although a watch was running. */
  missedEvents(resource: string, count: number): void;
  /** A watch or list ended in an error of this reason. */
  watchFailed(resource: string, reason: string): void;
  /** Whether this process holds the lease. */
  leading(isLeader: boolean): void;
}

const ignore = (): void => undefined;

export const noRuntimeMetrics: RuntimeMetrics = {
  reconciled: ignore,
  queued: ignore,
  taken: ignore,
  emptied: ignore,
  retried: ignore,
  missedEvents: ignore,
  watchFailed: ignore,
  leading: ignore,
};
