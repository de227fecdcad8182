// What one credential may ask of one provider, shared by all workers of the process: so many requests at once, none before the
// time that the provider has named, no more points in a minute than it allows. Waits for moments; a longer wait is the caller's
// failure, with its time, so that no worker stands idle.
import { CoregitError } from "../domain/errors.ts";
import { abortFailure } from "./git/errors.ts";
import { Places } from "./places.ts";
import { PointsWindow } from "./points-window.ts";
import type { CallOutcome } from "./provider-metrics.ts";
import { type Allowance, type LimitAnswer, readAllowance, readLimit } from "./rate-limit.ts";

/** Waits; rejects or resolves early when `signal` is aborted. */
export type Wait = (ms: number, signal: AbortSignal) => Promise<unknown>;

export type ApiBudgetOptions = {
  /** Whom it is about, for the failure's sentence. */
  readonly host: string;
  /** Wall clock, epoch milliseconds. */
  readonly now: () => number;
  readonly wait: Wait;
  /** Told once of each request, made or not. */
  readonly called: (lane: string, outcome: CallOutcome) => void;
};

/** A request as its budget sees it. */
export type BudgetedCall = {
  /** What the provider counts apart: `core`, `graphql`, `app`, `git`. */
  readonly lane: string;
  /** What it costs of a minute's points. */
  readonly points: number;
};

/** The right to make one request. Disposed of when its answer is over. */
export interface Ticket extends Disposable {
  /** Takes to heart what the answer says about limits. */
  heed(answer: LimitAnswer): void;
}

/** GitHub refuses beyond 100 at once, all tokens of a user together. */
export const MAX_CONCURRENT = 20;
const PATIENCE_MS = 5_000;
/** For limits without a time that follow each other: the wait doubles up to this. */
const LONGEST_UNTIMED_MS = 3_600_000;
/** Name of the lane that all requests belong to. */
const ALL = "*";

export class ApiBudget {
  readonly #options: ApiBudgetOptions;
  /** Until when nothing of a lane is sent, epoch milliseconds. */
  readonly #blocks = new Map<string, number>();
  readonly #allowances = new Map<string, Allowance>();
  readonly #points = new PointsWindow();
  readonly #places = new Places(MAX_CONCURRENT);
  /** Limits without a time, one after the other. */
  #strikes = 0;

  constructor(options: ApiBudgetOptions) {
    this.#options = options;
  }

  /** Nothing is under way and nothing is waited for: it may be forgotten. */
  get isIdle(): boolean {
    return this.#places.taken === 0 && this.#blockedUntilMs(...this.#blocks.keys()) <= this.#options.now();
  }

  /** What the provider said was left, by lane; what has been refilled since is not there. */
  get allowances(): readonly { readonly lane: string; readonly remaining: number }[] {
    const nowMs = this.#options.now();
    const current = [...this.#allowances].filter(([, { resetMs }]) => resetMs > nowMs);
    return current.map(([lane, { remaining }]) => ({ lane, remaining }));
  }

  /**
   * Resolves when the request may be made.
   * @throws CoregitError `RateLimited` with the time when that is not within seconds; the reason of `signal`.
   */
  async enter(call: BudgetedCall, signal: AbortSignal): Promise<Ticket> {
    await this.#places.take(signal);
    try {
      await this.#spend(call, signal);
    } catch (error) {
      this.#places.give();
      if (!signal.aborted) this.#options.called(call.lane, "held");
      throw error;
    }
    return this.#ticket(call.lane);
  }

  #ticket(lane: string): Ticket {
    let outcome: CallOutcome = "failed";
    let isOver = false;
    return {
      heed: (answer) => {
        outcome = this.#heed(lane, answer) ? "limited" : outcomeOf(answer.status);
      },
      [Symbol.dispose]: () => {
        if (isOver) return;
        isOver = true;
        this.#places.give();
        this.#options.called(lane, outcome);
      },
    };
  }

  /** Resolves when the points are spent: nobody else comes between finding that they fit in and taking them. */
  async #spend({ lane, points }: BudgetedCall, signal: AbortSignal): Promise<void> {
    const { now, wait, host } = this.#options;
    let patienceMs = PATIENCE_MS;
    for (;;) {
      const nowMs = now();
      const untilMs = Math.max(this.#blockedUntilMs(ALL, lane), this.#pacedUntilMs(points, nowMs));
      if (untilMs <= nowMs) return this.#points.spend(points, nowMs);
      patienceMs -= untilMs - nowMs;
      if (patienceMs < 0) {
        throw new CoregitError("RateLimited", `${host} has asked to wait; nothing is sent to it before.`, { retryAtMs: untilMs });
      }
      await wait(untilMs - nowMs, signal);
      if (signal.aborted) throw abortFailure(signal);
    }
  }

  #blockedUntilMs(...lanes: readonly string[]): number {
    return Math.max(0, ...lanes.map((lane) => this.#blocks.get(lane) ?? 0));
  }

  /** Who tells no allowance has no limits, as Enterprise servers by default. */
  #pacedUntilMs(points: number, nowMs: number): number {
    return points > 0 && this.#allowances.size > 0 ? this.#points.freeAtMs(points, nowMs) : nowMs;
  }

  /** True: the answer asks to wait. */
  #heed(lane: string, answer: LimitAnswer): boolean {
    const nowMs = this.#options.now();
    this.#noteAllowance(lane, readAllowance(answer.headers, nowMs));
    const limit = readLimit(answer, nowMs);
    if (limit === null) {
      if (answer.status < 400) this.#strikes = 0;
      return false;
    }
    const untilMs = limit.isTimed ? limit.untilMs : this.#untimedUntilMs(limit.untilMs - nowMs, nowMs);
    this.#block(limit.scope === "all" ? ALL : lane, untilMs);
    return true;
  }

  #noteAllowance(lane: string, allowance: Allowance | null): void {
    if (allowance === null || (allowance.resource !== null && allowance.resource !== lane)) return;
    this.#allowances.set(lane, allowance);
    if (allowance.remaining === 0) this.#block(lane, allowance.resetMs);
  }

  /** Requests that were under way together are refused together: that counts as one. */
  #untimedUntilMs(shortestMs: number, nowMs: number): number {
    if (this.#blockedUntilMs(ALL) > nowMs) return nowMs;
    this.#strikes += 1;
    return nowMs + Math.min(LONGEST_UNTIMED_MS, shortestMs * 2 ** (this.#strikes - 1));
  }

  #block(lane: string, untilMs: number): void {
    if (untilMs > this.#blockedUntilMs(lane)) this.#blocks.set(lane, untilMs);
  }
}

function outcomeOf(status: number): CallOutcome {
  if (status >= 500) return "failed";
  return status >= 400 ? "refused" : "ok";
}
