import { describe, expect, test } from "vitest";
import { ManualTime } from "../../test/support/manual-time.ts";
import { createRecordedLogger } from "../../test/support/recorded-logger.ts";
import { silentLogger } from "../../test/support/silent-logger.ts";
import type { Logger } from "../domain/log.ts";
import { KubeApiError } from "./api-error.ts";
import { Controller, type Outcome, type Reconcile } from "./controller.ts";
import { noRuntimeMetrics } from "./runtime-metrics.ts";
import { WorkQueue } from "./work-queue.ts";

type Options = { readonly concurrency?: number; readonly deadlineMs?: number; readonly logger?: Logger };

function setUp(reconcile: Reconcile, options: Options = {}) {
  const time = new ManualTime();
  const queue = new WorkQueue({ clock: time, timers: time, random: () => 1, backoff: { firstMs: 100, longestMs: 1000 } });
  const results: string[] = [];
  const metrics = {
    ...noRuntimeMetrics,
    reconciled: (_: string, result: string) => void results.push(result),
    emptied: () => void results.push("emptied"),
  };
  const { concurrency = 1, deadlineMs = 10_000, logger = silentLogger } = options;
  const controller = new Controller({
    name: "test",
    queue,
    reconcile,
    concurrency,
    deadlineMs,
    clock: time,
    logger,
    metrics,
  });
  controller.start();
  return { time, queue, controller, results };
}

/** Lets everything that is ready run. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("controller", () => {
  test("what throws is repeated with growing waits until it succeeds", async () => {
    const answers: (Outcome | Error)[] = [new Error("one"), new Error("two"), {}];
    const { time, queue, controller, results } = setUp(async () => {
      const answer = answers.shift() ?? {};
      if (answer instanceof Error) throw answer;
      return answer;
    });
    queue.add("a", "user");
    await settle();
    time.advance(99);
    await settle();
    expect(results).toEqual(["error"]);
    time.advance(1);
    await settle();
    time.advance(200);
    await settle();
    expect(results).toEqual(["error", "error", "success"]);
    expect(time.pending).toBe(0);
    await controller[Symbol.asyncDispose]();
  });

  test("names a failed reconcile by controller, namespace, name and reconcileID", async () => {
    const logger = createRecordedLogger();
    const { queue, controller } = setUp(() => Promise.reject(new Error("no")), { logger });
    queue.add("team/site", "user");
    await settle();
    const reconcileID = expect.stringMatching(/^[0-9a-f-]{36}$/);
    expect(logger.lines).toMatchObject([
      { level: "warn", fields: { controller: "test", namespace: "team", name: "site", reconcileID } },
    ]);
    await controller[Symbol.asyncDispose]();
  });

  test("a busy server is not asked before it wants to be", async () => {
    const { time, queue, controller, results } = setUp(async () => {
      if (results.length > 0) return {};
      throw new KubeApiError({ status: 429, reason: "TooManyRequests", message: "later", retryAfterMs: 5000 });
    });
    queue.add("a", "user");
    await settle();
    time.advance(4999);
    await settle();
    expect(results).toEqual(["error"]);
    time.advance(1);
    await settle();
    expect(results).toEqual(["error", "success"]);
    await controller[Symbol.asyncDispose]();
  });

  test("an outcome can ask to be looked at again later", async () => {
    const { time, queue, controller, results } = setUp(async () => ({ requeueAfterMs: 60_000 }));
    queue.add("a", "user");
    await settle();
    time.advance(60_000);
    await settle();
    expect(results).toEqual(["requeue_after", "requeue_after"]);
    await controller[Symbol.asyncDispose]();
  });

  test("one key never runs twice at once, however many workers there are", async () => {
    let running = 0;
    let most = 0;
    const gates: (() => void)[] = [];
    const { queue, controller, results } = setUp(
      async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise<void>((resolve) => gates.push(resolve));
        running -= 1;
        return {};
      },
      { concurrency: 4 },
    );
    queue.add("a", "user");
    await settle();
    queue.add("a", "user");
    await settle();
    gates.shift()?.();
    await settle();
    gates.shift()?.();
    await settle();
    expect({ most, results }).toEqual({ most: 1, results: ["success", "success"] });
    await controller[Symbol.asyncDispose]();
  });

  test("a reconcile is told when its time is up", async () => {
    const ended = Promise.withResolvers<unknown>();
    const { queue, controller } = setUp(
      (_, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => {
            ended.resolve(signal.reason);
            reject(new Error("given up"));
          });
        }),
      { deadlineMs: 20 },
    );
    queue.add("a", "user");
    expect(await ended.promise).toMatchObject({ name: "TimeoutError" });
    await controller[Symbol.asyncDispose]();
  });

  test("stopping ends what runs, takes nothing more, and says that nothing waits", async () => {
    const keys: string[] = [];
    const { queue, controller, results } = setUp((key, signal) => {
      keys.push(key);
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("stopped"))));
    });
    queue.add("a", "user");
    queue.add("b", "user");
    await settle();
    await controller[Symbol.asyncDispose]();
    expect(keys).toEqual(["a"]);
    expect(results).toEqual(["emptied", "error"]);
  });
});
