import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { EventLoopTurns } from "./event-loop-turns.ts";

/** In which turn of the event loop, counted from now, each of so many who come together goes on. */
async function turnsOf(turns: EventLoopTurns, count: number): Promise<readonly number[]> {
  let turn = 0;
  const counted = (async () => {
    for (; turn < count; turn += 1) await nextTurn();
  })();
  const all = await Promise.all(Array.from({ length: count }, () => turns.next().then(() => turn)));
  await counted;
  return all;
}

test("whoever comes alone goes on in the same turn of the event loop", async () => {
  expect(await turnsOf(new EventLoopTurns(), 1)).toEqual([0]);
});

test("of several that come together each goes on in a turn of its own", async () => {
  const turns = await turnsOf(new EventLoopTurns(), 4);
  expect(new Set(turns).size).toBe(4);
  expect(turns).toEqual(turns.toSorted((a, b) => a - b));
});

test("whoever comes when all have gone on goes on at once again", async () => {
  const turns = new EventLoopTurns();
  await turnsOf(turns, 3);
  expect(await turnsOf(turns, 1)).toEqual([0]);
});
