// GitLab's rate limits: requests a minute, which every answer tells in its headers, and limits of single endpoints, which it does not.
// Numbers: https://docs.gitlab.com/user/gitlab_com/#rate-limits-on-gitlabcom
import type { Clock } from "../../../../src/domain/clock.ts";
import { Refusal } from "../answer.ts";
import { Throttling, Windows } from "../throttling.ts";
import type { Violations } from "../violations.ts";

export type GitLabLimits = {
  requestsPerMinute: number;
  /** Archives, which answer 429 without `Retry-After`. */
  archivesPerMinute: number;
  /** Tests and resends of hooks. */
  hookTestsPerMinute: number;
  /** Commit requests above `largeCommitBytes`, in 30 seconds (since 18.7). */
  largeCommits: number;
  largeCommitBytes: number;
  /** Commit requests above this are refused by the web server, in HTML. */
  commitBytes: number;
  /** Actions of one commit: the length of any JSON array. */
  actions: number;
  hooks: number;
  /** Bytes of one file in a push (free plan). */
  pushedBlobBytes: number;
  /** `Retry-After` of a refusal, seconds. */
  retryAfterSeconds: number;
};

const MIB = 1024 * 1024;
const MINUTE_MS = 60_000;
const LARGE_WINDOW_MS = 30_000;

export function defaultLimits(): GitLabLimits {
  return {
    requestsPerMinute: 2_000,
    archivesPerMinute: 5,
    hookTestsPerMinute: 5,
    largeCommits: 3,
    largeCommitBytes: 20 * MIB,
    commitBytes: 300 * MIB,
    actions: 50_000,
    hooks: 100,
    pushedBlobBytes: 100 * MIB,
    retryAfterSeconds: 60,
  };
}

/** A 429 whose body is plain text: `json` is what the double sends as it is. */
export class PlainRefusal extends Refusal {}

const TOO_MANY = { message: { error: "This endpoint has been requested too many times. Try again later." } };

export class GitLabBudgets {
  readonly limits: GitLabLimits;
  readonly throttling: Throttling;
  readonly #clock: Clock;
  readonly #windows: Windows;

  constructor(limits: GitLabLimits, clock: Clock, violations: Violations) {
    this.limits = limits;
    this.throttling = new Throttling(clock, violations);
    this.#clock = clock;
    this.#windows = new Windows(clock);
  }

  /** Refuses all that this caller asks, from the next request on. */
  throttle(key: string, retryAfterSeconds = this.limits.retryAfterSeconds): void {
    this.throttling.block(key, this.#clock.now() + retryAfterSeconds * 1000, this.#plainRefusal(retryAfterSeconds));
  }

  /** @throws Refusal when the caller has used up its minute. */
  enter(key: string): void {
    this.throttling.check(key);
    const window = this.#windows.current(key, MINUTE_MS);
    if (window.used >= this.limits.requestsPerMinute) {
      const seconds = Math.max(1, Math.ceil((window.startedAtMs + MINUTE_MS - this.#clock.now()) / 1000));
      throw this.throttling.refuse(key, window.startedAtMs + MINUTE_MS, this.#plainRefusal(seconds));
    }
    window.used += 1;
  }

  headers(key: string): Record<string, string> {
    const { used, startedAtMs } = this.#windows.current(key, MINUTE_MS);
    const limit = this.limits.requestsPerMinute;
    return {
      "ratelimit-limit": String(limit),
      "ratelimit-name": "throttle_authenticated_api",
      "ratelimit-observed": String(used),
      "ratelimit-remaining": String(Math.max(limit - used, 0)),
      "ratelimit-reset": String(Math.ceil((startedAtMs + MINUTE_MS) / 1000)),
    };
  }

  /** @throws Refusal 429 in JSON; the other limits of an endpoint say when to come back, that of archives does not. */
  endpoint(key: string, name: "archive" | "hook test" | "large commit"): void {
    const isLarge = name === "large commit";
    const lengthMs = isLarge ? LARGE_WINDOW_MS : MINUTE_MS;
    const allowed = {
      archive: this.limits.archivesPerMinute,
      "hook test": this.limits.hookTestsPerMinute,
      "large commit": this.limits.largeCommits,
    };
    const window = this.#windows.current(`${key} ${name}`, lengthMs);
    window.used += 1;
    if (window.used <= allowed[name]) return;
    const seconds = Math.ceil((window.startedAtMs + lengthMs - this.#clock.now()) / 1000);
    throw new Refusal(429, TOO_MANY, name === "archive" ? {} : { "retry-after": String(seconds) });
  }

  #plainRefusal(seconds: number): Refusal {
    const until = new Date(this.#clock.now() + seconds * 1000).toUTCString();
    return new PlainRefusal(429, "Retry later\n", { "retry-after": String(seconds), "ratelimit-resettime": until });
  }
}
