// What upkeep is made of: tasks that keep the store small, fast and sound while it is used.

export type TaskResult = {
  /** How much was done (packs replaced, blobs removed, packs checked), for the log and metrics; 0: nothing was needed. */
  readonly done: number;
  /** Whether the task stopped at its limit and would find more at once. */
  readonly hasMore: boolean;
};

/** One kind of upkeep. Each may run in several processes at once and be killed at any instant without harm. */
export interface UpkeepTask {
  /** For the log and the metric label, for example `compact`. */
  readonly name: string;
  /** How long to wait between turns, with jitter; a turn that has more to do is followed at once by the next. */
  readonly intervalMs: number;
  /** One bounded turn. Errors are CoregitErrors; the loop logs them and tries again at the next turn. */
  run(signal: AbortSignal): Promise<TaskResult>;
}
