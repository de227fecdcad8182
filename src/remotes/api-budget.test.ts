// The budget of one credential, by a clock that the test moves.
import { describe, expect, test } from "vitest";
import { CoregitError } from "../domain/errors.ts";
import { ApiBudget, MAX_CONCURRENT } from "./api-budget.ts";
import { ApiBudgets } from "./api-budgets.ts";
import { noProviderMetrics } from "./provider-metrics.ts";

const READ = { lane: "core", points: 1 };
const WRITE = { lane: "core", points: 5 };
const QUERY = { lane: "graphql", points: 1 };
const FETCH = { lane: "git", points: 0 };
const signal = new AbortController().signal;

function open() {
  let nowMs = 1_000_000_000_000;
  const waits: number[] = [];
  const outcomes: string[] = [];
  const budget = new ApiBudget({
    host: "api.example",
    now: () => nowMs,
    async wait(ms) {
      waits.push(ms);
      nowMs += ms;
    },
    called: (lane, outcome) => outcomes.push(`${lane} ${outcome}`),
  });
  /** One request with this answer. */
  const ask = async (call: typeof READ, status = 200, headers: Record<string, string> = {}, said = ""): Promise<void> => {
    using ticket = await budget.enter(call, signal);
    ticket.heed({ status, headers, said });
  };
  const epoch = (inMs: number) => String((nowMs + inMs) / 1000);
  return {
    budget,
    waits,
    outcomes,
    ask,
    left: (remaining: number, inMs: number, resource = "core") => ({
      "x-ratelimit-remaining": String(remaining),
      "x-ratelimit-reset": epoch(inMs),
      "x-ratelimit-resource": resource,
    }),
    now: () => nowMs,
    advance: (ms: number) => {
      nowMs += ms;
    },
  };
}

const limitedUntil = (retryAtMs: number) => expect.objectContaining({ code: "RateLimited", retryAtMs });

describe("after Retry-After", () => {
  test("nothing of the credential is sent before its time, whatever it is", async () => {
    const { ask, now, advance, outcomes } = open();
    const untilMs = now() + 77_000;
    await ask(WRITE, 403, { "retry-after": "77" });
    for (const call of [READ, WRITE, QUERY, FETCH]) await expect(ask(call)).rejects.toEqual(limitedUntil(untilMs));
    advance(76_999 - 5_000);
    await expect(ask(READ)).rejects.toEqual(limitedUntil(untilMs));
    expect(outcomes).toEqual(["core limited", "core held", "core held", "graphql held", "git held", "core held"]);
    advance(5_001);
    await ask(READ);
    expect(outcomes.at(-1)).toBe("core ok");
  });

  test("a time within seconds is waited for", async () => {
    const { ask, waits } = open();
    await ask(READ, 429, { "retry-after": "3" });
    await ask(READ);
    expect(waits).toEqual([3_000]);
  });

  test("a shorter time does not take a longer one back", async () => {
    const { ask, budget, now } = open();
    using first = await budget.enter(READ, signal);
    using second = await budget.enter(READ, signal);
    first.heed({ status: 429, headers: { "retry-after": "60" }, said: "" });
    second.heed({ status: 429, headers: { "retry-after": "1" }, said: "" });
    await expect(ask(READ)).rejects.toEqual(limitedUntil(now() + 60_000));
  });
});

describe("an allowance that is used up", () => {
  test("holds what it pays for until it is full again, and nothing else", async () => {
    const { ask, left, now, advance } = open();
    await ask(READ, 200, left(0, 1_800_000));
    await expect(ask(READ)).rejects.toEqual(limitedUntil(now() + 1_800_000));
    await ask(QUERY, 200, left(10, 1_800_000, "graphql"));
    await ask(FETCH);
    advance(1_800_000);
    await ask(READ);
  });

  test("is shown until it is full again", async () => {
    const { ask, left, budget, advance } = open();
    await ask(READ, 200, left(12, 60_000));
    expect(budget.allowances).toEqual([{ lane: "core", remaining: 12 }]);
    advance(60_000);
    expect(budget.allowances).toEqual([]);
  });
});

test("limits without a time that follow each other double the wait; those that came together count as one", async () => {
  const { ask, budget, now, advance } = open();
  const said = "You have exceeded a secondary rate limit.";
  const together = [await budget.enter(READ, signal), await budget.enter(READ, signal)];
  for (const ticket of together) {
    ticket.heed({ status: 403, headers: {}, said });
    ticket[Symbol.dispose]();
  }
  await expect(ask(READ)).rejects.toEqual(limitedUntil(now() + 60_000));
  advance(60_000);
  await ask(READ, 403, {}, said);
  await expect(ask(READ)).rejects.toEqual(limitedUntil(now() + 120_000));
  advance(120_000);
  await ask(READ);
  await ask(READ, 403, {}, said);
  await expect(ask(READ)).rejects.toEqual(limitedUntil(now() + 60_000));
});

test("no more than 900 points are spent in a minute where limits are told of", async () => {
  const { ask, left, waits } = open();
  for (let count = 0; count < 180; count += 1) await ask(WRITE, 201, left(4_000, 3_600_000));
  await expect(ask(WRITE)).rejects.toEqual(expect.objectContaining({ code: "RateLimited" }));
  expect(waits).toEqual([]);
  const free = open();
  for (let count = 0; count < 300; count += 1) await free.ask(WRITE, 201);
});

test("what is asked at the same moment spends no more of them than what is asked in turn", async () => {
  const { budget, ask, left } = open();
  for (let count = 0; count < 178; count += 1) await ask(WRITE, 201, left(4_000, 3_600_000));
  const entered = await Promise.allSettled(Array.from({ length: 10 }, () => budget.enter(WRITE, signal)));
  expect(entered.filter(({ status }) => status === "fulfilled")).toHaveLength(2);
});

describe("at once", () => {
  test("are twenty requests; the others follow in their order as places become free", async () => {
    const { budget } = open();
    const running = await Promise.all(Array.from({ length: MAX_CONCURRENT }, () => budget.enter(READ, signal)));
    const started: number[] = [];
    const waiting = [1, 2].map(async (number) => {
      const ticket = await budget.enter(READ, signal);
      started.push(number);
      return ticket;
    });
    await Promise.resolve();
    expect(started).toEqual([]);
    running[0]?.[Symbol.dispose]();
    running[0]?.[Symbol.dispose]();
    await waiting[0];
    expect(started).toEqual([1]);
    running[1]?.[Symbol.dispose]();
    await waiting[1];
  });

  test("whoever gives up waiting takes no place", async () => {
    const { budget } = open();
    const running = await Promise.all(Array.from({ length: MAX_CONCURRENT }, () => budget.enter(READ, signal)));
    const stop = new AbortController();
    const given = budget.enter(READ, stop.signal);
    stop.abort(new CoregitError("Timeout", "It took too long."));
    await expect(given).rejects.toEqual(expect.objectContaining({ code: "Timeout" }));
    for (const ticket of running) ticket[Symbol.dispose]();
    expect(budget.isIdle).toBe(true);
  });
});

describe("budgets", () => {
  const now = () => 0;
  const wait = async () => undefined;
  const owner = { provider: "github", origin: "https://github.com", secret: "one" } as const;

  test("are one for each credential and server", () => {
    const budgets = new ApiBudgets({ now, wait, metrics: noProviderMetrics });
    expect(budgets.of({ ...owner })).toBe(budgets.of(owner));
    for (const other of [{ secret: "two" }, { secret: null }, { origin: "https://ghe.example" }]) {
      expect(budgets.of({ ...owner, ...other })).not.toBe(budgets.of(owner));
    }
  });

  test("of an App are shared by its tokens", () => {
    const budgets = new ApiBudgets({ now, wait, metrics: noProviderMetrics });
    budgets.share(owner, "ghs_minted");
    expect(budgets.of({ ...owner, secret: "ghs_minted" })).toBe(budgets.of(owner));
  });

  test("are bounded in number, and one that somebody waits for outlives those that nobody uses", async () => {
    const budgets = new ApiBudgets({ now, wait, metrics: noProviderMetrics });
    const busy = budgets.of(owner);
    using _ticket = await busy.enter(READ, signal);
    const idle = budgets.of({ ...owner, secret: "idle" });
    for (let count = 0; count < 2_000; count += 1) budgets.of({ ...owner, secret: `other ${count}` });
    expect(budgets.of(owner)).toBe(busy);
    expect(budgets.of({ ...owner, secret: "idle" })).not.toBe(idle);
  });
});
