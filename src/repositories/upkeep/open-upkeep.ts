// The loop behind upkeep: each task at its own pace, its turns one after the other, varied so that replicas do not act in
// step. A turn that fails is told once per kind of failure until one succeeds, and tried again at the next turn. Knows
// nothing of what the tasks do; any of them may be ended at any instant.
import { setTimeout as delay } from "node:timers/promises";
import type { Clock, Random } from "../../domain/clock.ts";
import { CoregitError, type ErrorCode } from "../../domain/errors.ts";
import type { Logger } from "../../domain/log.ts";
import { noTracer, type Span, type Tracer } from "../../domain/tracer.ts";
import type { UpkeepTask } from "./task.ts";
import type { UpkeepMetrics } from "./upkeep-metrics.ts";

/** A process that has just started has other things to do, yet one that restarts each hour must get to daily tasks. */
const FIRST_TURN_WITHIN_MS = 30_000;
/** How far the time between turns varies either way. */
const JITTER = 0.1;

export type UpkeepOptions = {
  readonly tasks: readonly UpkeepTask[];
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: UpkeepMetrics;
  /** Default: no traces. */
  readonly tracer?: Tracer;
};

/** Runs the tasks until it is disposed, which ends the turns under way through their signal and waits for them. */
export function openUpkeep({ tasks, ...options }: UpkeepOptions): AsyncDisposable {
  const stop = new AbortController();
  const ended = tasks.map((task) => new TaskLoop(task, options, stop.signal).run());
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.all(ended);
    },
  };
}

class TaskLoop {
  readonly #task: UpkeepTask;
  readonly #options: Omit<UpkeepOptions, "tasks">;
  readonly #signal: AbortSignal;
  /** Kinds of failures since the last turn that went well. */
  readonly #told = new Set<string>();

  constructor(task: UpkeepTask, options: Omit<UpkeepOptions, "tasks">, signal: AbortSignal) {
    this.#task = task;
    this.#options = options;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    const { intervalMs } = this.#task;
    const { random } = this.#options;
    let waitMs = Math.min(intervalMs, FIRST_TURN_WITHIN_MS) * random();
    while (!this.#signal.aborted) {
      await delay(waitMs, undefined, { signal: this.#signal }).catch(() => undefined);
      if (this.#signal.aborted) return;
      const { tracer = noTracer } = this.#options;
      const hasMore = await tracer.span(`upkeep ${this.#task.name}`, { causes: [] }, (span) => this.#turn(span));
      waitMs = hasMore ? 0 : intervalMs * (1 + JITTER * (2 * random() - 1));
    }
  }

  async #turn(span: Span): Promise<boolean> {
    const { clock, logger, metrics } = this.#options;
    const { name: task } = this.#task;
    const startedMs = clock.monotonic();
    const end = (code: ErrorCode | null, done: number) =>
      metrics.turnEnded({ task, code, done, durationMs: clock.monotonic() - startedMs });
    try {
      const { done, hasMore } = await this.#task.run(this.#signal);
      this.#told.clear();
      end(null, done);
      span.set({ "coregit.done": done });
      if (done > 0) logger.debug({ task, done }, "Upkeep did something.");
      return hasMore;
    } catch (error) {
      if (this.#signal.aborted) return false;
      this.#tell(error);
      const code = error instanceof CoregitError ? error.code : "Internal";
      span.fail(code);
      end(code, 0);
      return false;
    }
  }

  #tell(err: unknown): void {
    const kind = err instanceof CoregitError ? err.code : String(err);
    if (this.#told.has(kind)) return;
    this.#told.add(kind);
    this.#options.logger.warn({ err, task: this.#task.name }, "Upkeep failed and is tried again.");
  }
}
