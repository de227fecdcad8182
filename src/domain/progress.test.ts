import { expect, test } from "vitest";
import type { Clock } from "./clock.ts";
import { ProgressBoard } from "./progress.ts";

function openBoard() {
  let nowMs = 1_000;
  const clock: Clock = { now: () => nowMs, monotonic: () => nowMs };
  const pass = (ms: number): void => {
    nowMs += ms;
  };
  return { board: new ProgressBoard(clock), pass };
}

test("a part that is silent for longer than it may be is stalled, and no longer once it goes on", () => {
  const { board, pass } = openBoard();
  const loop = board.follow("loop", 100);
  pass(100);
  expect(board.stalled()).toEqual([]);
  pass(1);
  expect(board.stalled()).toEqual([{ name: "loop", silentMs: 101 }]);
  loop.beat();
  expect(board.stalled()).toEqual([]);
});

test("a part that rests is silent only from the end of its rest on", () => {
  const { board, pass } = openBoard();
  const loop = board.follow("loop", 100);
  loop.rest(3_600_000);
  pass(3_600_100);
  expect(board.stalled()).toEqual([]);
  pass(1);
  expect(board.stalled()).toEqual([{ name: "loop", silentMs: 101 }]);
});

test("a part that is woken early has to go on from then", () => {
  const { board, pass } = openBoard();
  const loop = board.follow("loop", 100);
  loop.rest(3_600_000);
  pass(10);
  loop.beat();
  pass(101);
  expect(board.stalled()).toEqual([{ name: "loop", silentMs: 101 }]);
});

test("only the parts that are stalled are named, and a part that ended is forgotten", () => {
  const { board, pass } = openBoard();
  const first = board.follow("first", 100);
  board.follow("second", 1_000);
  pass(500);
  expect(board.stalled().map(({ name }) => name)).toEqual(["first"]);
  first[Symbol.dispose]();
  expect(board.stalled()).toEqual([]);
});
