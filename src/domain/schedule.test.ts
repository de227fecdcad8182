import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CoregitError, ERROR_CODES, type ErrorCode } from "./errors.ts";
import { afterSuccess, backoffMs, nextPollAt, outcome } from "./schedule.ts";

const MINUTE = 60_000;
const NOW = 1_700_000_000_000;
const input = { nowMs: NOW, intervalMs: 5 * MINUTE, jitter: 0.1, failures: 0, random: () => 0.5 };
const failure = (code: ErrorCode, retryAtMs?: number) =>
  new CoregitError(code, "It failed.", retryAtMs === undefined ? {} : { retryAtMs });

describe("the next poll", () => {
  it("is an interval away, give or take the jitter", () => {
    expect([0, 0.5, 1].map((chance) => nextPollAt({ ...input, random: () => chance }))).toEqual([
      NOW + 4.5 * MINUTE,
      NOW + 5 * MINUTE,
      NOW + 5.5 * MINUTE,
    ]);
  });

  it("never comes at an interval of zero", () => {
    expect(nextPollAt({ ...input, intervalMs: 0 })).toBeNull();
  });

  it("follows a success, which forgets all failures", () => {
    expect(afterSuccess(input)).toEqual({ nextRunAtMs: NOW + 5 * MINUTE, failures: 0, retry: null });
  });
});

describe("a failure", () => {
  it("that backs off is tried again soon, then half as often each time, up to the interval", () => {
    const waits = Array.from(
      { length: 12 },
      (_, failures) => (outcome(failure("RemoteUnreachable"), { ...input, failures, random: () => 1 }).nextRunAtMs ?? 0) - NOW,
    );
    expect(waits.map((wait) => wait / 1000)).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300]);
  });

  it("is retried within a minute at the least and a quarter of an hour at the most, whatever the interval", () => {
    const longest = (intervalMs: number) => backoffMs({ failures: 1000, intervalMs, random: () => 1 });
    expect([0, 5000, 24 * 60 * MINUTE].map(longest)).toEqual([15 * MINUTE, MINUTE, 15 * MINUTE]);
  });

  it("never waits less than half of its back-off", () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 100 }),
        fc.nat({ max: 10 * MINUTE }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (failures, intervalMs, chance) => {
          const full = backoffMs({ failures, intervalMs, random: () => 1 });
          const wait = backoffMs({ failures, intervalMs, random: () => chance });
          expect(wait >= Math.floor(full / 2) && wait <= full).toBe(true);
        },
      ),
    );
  });

  it("that names its time waits for it, spread a little", () => {
    const at = NOW + 10 * MINUTE;
    expect(outcome(failure("RateLimited", at), { ...input, random: () => 0 })).toEqual({
      nextRunAtMs: at,
      failures: 1,
      retry: "later",
    });
    expect(outcome(failure("RateLimited", at), { ...input, random: () => 1 }).nextRunAtMs).toBe(at + 30_000);
  });

  it("that names the past, or no time, still backs off", () => {
    const next = (retryAtMs?: number) =>
      outcome(failure("RateLimited", retryAtMs), { ...input, failures: 3, random: () => 0 }).nextRunAtMs;
    expect([next(NOW - MINUTE), next()]).toEqual([NOW + 8000, NOW + 8000]);
  });

  it("that names the next century is not believed", () => {
    const { nextRunAtMs } = outcome(failure("RateLimited", NOW * 10), { ...input, random: () => 0 });
    expect(nextRunAtMs).toBe(NOW + 24 * 60 * MINUTE);
  });

  it("that only a changed declaration cures waits for that", () => {
    for (const code of ["InvalidSpec", "ConnectionMissing", "SecretMissing", "SecretInvalid", "CredentialUnreadable"] as const) {
      expect(outcome(failure(code), input)).toEqual({ nextRunAtMs: null, failures: 1, retry: "terminal" });
    }
  });

  it("that the remote may cure is seen by the next poll, no sooner", () => {
    for (const code of ["Conflict", "Diverged", "TooManyDeletions", "EmptyUpstream", "PathRefused"] as const) {
      expect(outcome(failure(code), input)).toEqual({ nextRunAtMs: NOW + 5 * MINUTE, failures: 1, retry: "terminal" });
    }
  });

  it("of any code has an outcome that lies in the future or waits for a change", () => {
    for (const code of Object.keys(ERROR_CODES) as ErrorCode[]) {
      const { nextRunAtMs, failures } = outcome(failure(code), { ...input, failures: 6 });
      expect(nextRunAtMs === null || nextRunAtMs >= NOW + 1000).toBe(true);
      expect(failures).toBe(7);
    }
  });
});
