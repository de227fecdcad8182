// GitHub's rate limits, a budget for each credential: requests an hour, points a minute, requests at once, content a minute
// and an hour, and refusals that tests order. Time is the double's clock.
// Numbers: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
import type { Clock } from "../../../../src/domain/clock.ts";
import type { Refusal } from "../answer.ts";
import { Throttling, Windows } from "../throttling.ts";
import type { Violations } from "../violations.ts";
import { apiRefusal } from "./refusals.ts";

export type Resource = "core" | "graphql";

export type GitHubLimits = {
  /** Off on a new Enterprise server; ordered refusals come all the same. */
  isEnabled: boolean;
  /** Requests an hour of a user or an installation. */
  coreHourly: number;
  graphqlHourly: number;
  /** Requests an hour of everybody without a credential. */
  anonymousHourly: number;
  pointsPerMinute: number;
  concurrent: number;
  /** Requests that create content; null: not counted. GitHub says in general 80 a minute and 500 an hour. */
  contentPerMinute: number | null;
  contentPerHour: number | null;
  /** Status of a refusal, which GitHub chooses freely. */
  refusalStatus: 403 | 429;
  /** `Retry-After` of a secondary refusal in seconds; null: none is sent, and callers wait a minute. */
  retryAfterSeconds: number | null;
};

export function defaultLimits(isEnabled: boolean): GitHubLimits {
  return {
    isEnabled,
    coreHourly: 5_000,
    graphqlHourly: 5_000,
    anonymousHourly: 60,
    pointsPerMinute: 900,
    concurrent: 100,
    contentPerMinute: null,
    contentPerHour: null,
    refusalStatus: 403,
    retryAfterSeconds: 60,
  };
}

export type Throttle = {
  readonly kind: "primary" | "secondary";
  readonly status?: 403 | 429;
  /** Seconds; null: the header is not sent. */
  readonly retryAfterSeconds?: number | null;
};

export type BudgetedRequest = {
  readonly method: string;
  readonly resource: Resource;
  readonly isContent: boolean;
  /** Always answered, and counted nowhere. */
  readonly isFree: boolean;
};

export type BudgetState = { readonly limit: number; readonly used: number; readonly remaining: number; readonly reset: number };

export const ANONYMOUS = "anonymous";

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const PAGE = "rest/using-the-rest-api/rate-limits-for-the-rest-api";

type Cost = { readonly amount: number; readonly limit: number | null; readonly lengthMs: number };

export class Budgets {
  readonly limits: GitHubLimits;
  readonly throttling: Throttling;
  readonly #clock: Clock;
  readonly #windows: Windows;
  readonly #running = new Map<string, number>();

  constructor(limits: GitHubLimits, clock: Clock, violations: Violations) {
    this.limits = limits;
    this.throttling = new Throttling(clock, violations);
    this.#clock = clock;
    this.#windows = new Windows(clock);
  }

  /** Refuses all that this credential asks, from the next request on, until its time is over. */
  throttle(key: string, throttle: Throttle): void {
    const { untilMs, refusal } = this.#refusal(key, throttle);
    this.throttling.block(key, untilMs, refusal);
  }

  /** Begins a request; the caller ends it with `leave`. @throws Refusal when a limit is reached. */
  enter(key: string, request: BudgetedRequest): void {
    const running = (this.#running.get(key) ?? 0) + 1;
    this.#running.set(key, running);
    if (request.isFree) return;
    this.throttling.check(key);
    if (!this.limits.isEnabled) return;
    if (running > this.limits.concurrent) throw this.#refuse(key, "secondary");
    if (this.state(key, request.resource).remaining === 0) throw this.#refuse(key, "primary");
    const isRead = /^(?:GET|HEAD|OPTIONS)$/.test(request.method);
    this.#spend(key, "points", { amount: isRead ? 1 : 5, limit: this.limits.pointsPerMinute, lengthMs: MINUTE_MS });
    if (!request.isContent) return;
    this.#spend(key, "content of a minute", { amount: 1, limit: this.limits.contentPerMinute, lengthMs: MINUTE_MS });
    this.#spend(key, "content of an hour", { amount: 1, limit: this.limits.contentPerHour, lengthMs: HOUR_MS });
  }

  /** Ends a request. `isFree`: answered 304, which costs nothing of the hour's budget. */
  leave(key: string, resource: Resource, isFree: boolean): void {
    this.#running.set(key, (this.#running.get(key) ?? 1) - 1);
    if (!isFree) this.#hourly(key, resource).used += 1;
  }

  state(key: string, resource: Resource): BudgetState {
    const window = this.#hourly(key, resource);
    const limit = this.#hourlyLimit(key, resource);
    const used = Math.min(window.used, limit);
    return { limit, used, remaining: limit - used, reset: Math.ceil((window.startedAtMs + HOUR_MS) / 1000) };
  }

  /** `cost`: what the answer that carries them is about to take. */
  headers(key: string, resource: Resource, cost: 0 | 1): Record<string, string> {
    if (!this.limits.isEnabled) return {};
    const { limit, used, remaining, reset } = this.state(key, resource);
    return {
      "x-ratelimit-limit": String(limit),
      "x-ratelimit-used": String(Math.min(used + cost, limit)),
      "x-ratelimit-remaining": String(Math.max(remaining - cost, 0)),
      "x-ratelimit-reset": String(reset),
      "x-ratelimit-resource": resource,
    };
  }

  #hourlyLimit(key: string, resource: Resource): number {
    if (key === ANONYMOUS) return this.limits.anonymousHourly;
    return resource === "core" ? this.limits.coreHourly : this.limits.graphqlHourly;
  }

  #hourly(key: string, resource: Resource): { readonly startedAtMs: number; used: number } {
    return this.#windows.current(`${key} ${resource}`, HOUR_MS);
  }

  #spend(key: string, name: string, { amount, limit, lengthMs }: Cost): void {
    if (limit === null) return;
    const window = this.#windows.current(`${key} ${name}`, lengthMs);
    if (window.used + amount > limit) throw this.#refuse(key, "secondary");
    window.used += amount;
  }

  #refuse(key: string, kind: Throttle["kind"]): Refusal {
    const { untilMs, refusal } = this.#refusal(key, { kind });
    return this.throttling.refuse(key, untilMs, refusal);
  }

  #refusal(key: string, throttle: Throttle): { readonly untilMs: number; readonly refusal: Refusal } {
    const status = throttle.status ?? this.limits.refusalStatus;
    if (throttle.kind === "primary") {
      const hourly = this.#hourly(key, "core");
      hourly.used = Math.max(hourly.used, this.#hourlyLimit(key, "core"));
      const refusal = apiRefusal(status, `API rate limit exceeded for ${key}.`, PAGE);
      return { untilMs: hourly.startedAtMs + HOUR_MS, refusal };
    }
    const retryAfter = throttle.retryAfterSeconds === undefined ? this.limits.retryAfterSeconds : throttle.retryAfterSeconds;
    const message = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
    const headers: Record<string, string> = retryAfter === null ? {} : { "retry-after": String(retryAfter) };
    return { untilMs: this.#clock.now() + (retryAfter ?? 60) * 1000, refusal: apiRefusal(status, message, PAGE, headers) };
  }
}
