import { expect, test } from "vitest";
import { systemClock } from "../../domain/clock.ts";
import { CoregitError } from "../../domain/errors.ts";
import type { Logger } from "../../domain/log.ts";
import { openUpkeep } from "./open-upkeep.ts";
import type { TaskResult, UpkeepTask } from "./task.ts";

type Turn = { readonly task: string; readonly code: string | null; readonly done: number };

/** The loop with what it says and counts. */
function openLoop(...tasks: UpkeepTask[]) {
  const turns: Turn[] = [];
  const warnings: string[] = [];
  const ignore = () => undefined;
  const logger: Logger = {
    debug: ignore,
    info: ignore,
    error: ignore,
    warn: (fields: unknown) => void warnings.push(JSON.stringify(fields)),
    child: () => logger,
  };
  const metrics = {
    turnEnded: ({ task, code, done }: Turn) => void turns.push({ task, code, done }),
    compacted: ignore,
    packsCounted: ignore,
  };
  const loop = openUpkeep({ tasks, clock: systemClock, random: () => 0.5, logger, metrics });
  return { turns, warnings, [Symbol.asyncDispose]: () => loop[Symbol.asyncDispose]() };
}

/** A task whose turns have these results one after the other and nothing to do after the last. */
function scripted(results: readonly (TaskResult | Error)[], intervalMs = 2) {
  const { promise, resolve } = Promise.withResolvers<void>();
  let turn = 0;
  const task: UpkeepTask = {
    name: "scripted",
    intervalMs,
    async run() {
      const result = results[turn];
      turn += 1;
      if (turn > results.length) resolve();
      if (result instanceof Error) throw result;
      return result ?? { done: 0, hasMore: false };
    },
  };
  return { task, ended: promise };
}

test("a task has its turns again and again, and each is counted", async () => {
  const { task, ended } = scripted([{ done: 3, hasMore: false }]);
  await using loop = openLoop(task);
  await ended;
  expect(loop.turns.slice(0, 1)).toEqual([{ task: "scripted", code: null, done: 3 }]);
});

test("a turn that has more to do is followed at once", async () => {
  const more = Array.from({ length: 20 }, () => ({ done: 1, hasMore: true }));
  const { task, ended } = scripted(more, 1_000);
  const startedMs = performance.now();
  await using loop = openLoop(task);
  await ended;
  expect(loop.turns.filter(({ done }) => done === 1)).toHaveLength(20);
  expect(performance.now() - startedMs).toBeLessThan(2_000);
});

test("a failure is told once of its kind until a turn goes well, and does not end the task", async () => {
  const down = () => new CoregitError("DatabaseUnavailable", "It is away.");
  const corrupt = new CoregitError("StorageCorrupt", "It is broken.");
  const { task, ended } = scripted([down(), down(), corrupt, down(), { done: 1, hasMore: false }, down(), new TypeError("?")]);
  await using loop = openLoop(task);
  await ended;
  expect(loop.warnings).toHaveLength(4);
  expect(loop.turns.slice(0, 7).map(({ code }) => code)).toEqual([
    "DatabaseUnavailable",
    "DatabaseUnavailable",
    "StorageCorrupt",
    "DatabaseUnavailable",
    null,
    "DatabaseUnavailable",
    "Internal",
  ]);
});

test("the end of the loop ends a turn through its signal, waits for it, and is no failure", async () => {
  const begun = Promise.withResolvers<void>();
  let hasEnded = false;
  const endless: UpkeepTask = {
    name: "endless",
    intervalMs: 1,
    async run(signal) {
      begun.resolve();
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      await new Promise((resolve) => setImmediate(resolve));
      hasEnded = true;
      throw signal.reason;
    },
  };
  const loop = openLoop(endless);
  await begun.promise;
  await loop[Symbol.asyncDispose]();
  expect({ hasEnded, turns: loop.turns, warnings: loop.warnings }).toEqual({ hasEnded: true, turns: [], warnings: [] });
});

test("turns of one task never overlap, and a slow task holds up no other", async () => {
  const slow: { release: () => void; running: number; most: number } = { release: () => undefined, running: 0, most: 0 };
  const blocked: UpkeepTask = {
    name: "slow",
    intervalMs: 1,
    async run() {
      slow.running += 1;
      slow.most = Math.max(slow.most, slow.running);
      await new Promise<void>((resolve) => {
        slow.release = resolve;
      });
      slow.running -= 1;
      return { done: 0, hasMore: true };
    },
  };
  const { task, ended } = scripted(Array.from({ length: 50 }, () => ({ done: 1, hasMore: true })));
  const loop = openLoop(blocked, task);
  await ended;
  const closing = loop[Symbol.asyncDispose]();
  slow.release();
  await closing;
  expect(slow.most).toBe(1);
});
