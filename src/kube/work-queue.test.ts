import { describe, expect, test } from "vitest";
import { ManualTime } from "../../test/support/manual-time.ts";
import { WorkQueue } from "./work-queue.ts";

function setUp() {
  const time = new ManualTime();
  const backoff = { firstMs: 100, longestMs: 1000 };
  const queue = new WorkQueue({ clock: time, timers: time, random: () => 1, backoff });
  const takeNow = async (): Promise<string | null> => {
    if (queue.depth === 0) return null;
    return (await queue.take())?.key ?? null;
  };
  return { time, queue, takeNow };
}

describe("work queue", () => {
  test("a key added many times is taken once", async () => {
    const { queue, takeNow } = setUp();
    for (let i = 0; i < 5; i += 1) queue.add("a", "user");
    expect([await takeNow(), await takeNow()]).toEqual(["a", null]);
  });

  test("a key that is in somebody's hands is not given out again until it is done", async () => {
    const { queue, takeNow } = setUp();
    queue.add("a", "user");
    await takeNow();
    queue.add("a", "user");
    queue.add("a", "background");
    expect(await takeNow()).toBeNull();
    queue.done("a");
    expect([await takeNow(), await takeNow()]).toEqual(["a", null]);
  });

  test("a key that was not added meanwhile rests after it is done", async () => {
    const { queue, takeNow } = setUp();
    queue.add("a", "user");
    await takeNow();
    queue.done("a");
    expect(await takeNow()).toBeNull();
  });

  test("what a user changed goes before what the background wants, in the order of arrival", async () => {
    const { queue, takeNow } = setUp();
    queue.add("old-1", "background");
    queue.add("old-2", "background");
    queue.add("new-1", "user");
    queue.add("new-2", "user");
    expect([await takeNow(), await takeNow(), await takeNow(), await takeNow()]).toEqual(["new-1", "new-2", "old-1", "old-2"]);
  });

  test("a user's change lifts a key that waits in the background, and not the other way round", async () => {
    const { queue, takeNow } = setUp();
    queue.add("a", "background");
    queue.add("b", "background");
    queue.add("b", "user");
    queue.add("b", "background");
    expect([await takeNow(), await takeNow(), await takeNow()]).toEqual(["b", "a", null]);
  });

  test("what changed otherwise goes between the two, and a key that waits rises but does not sink", async () => {
    const { queue, takeNow } = setUp();
    queue.add("relist", "background");
    queue.add("raised", "background");
    queue.add("changed", "change");
    queue.add("raised", "change");
    queue.add("user", "user");
    queue.add("user", "change");
    const order = [await takeNow(), await takeNow(), await takeNow(), await takeNow(), await takeNow()];
    expect(order).toEqual(["user", "changed", "raised", "relist", null]);
  });

  test("a key that is added in somebody's hands comes back with the highest priority of those", async () => {
    const { queue, takeNow } = setUp();
    queue.add("a", "user");
    await takeNow();
    for (const priority of ["background", "user", "change"] as const) queue.add("a", priority);
    queue.add("b", "change");
    queue.done("a");
    expect([await takeNow(), await takeNow()]).toEqual(["a", "b"]);
  });

  test("a delayed key comes when its time has come, once", async () => {
    const { time, queue, takeNow } = setUp();
    queue.addAfter("a", 500);
    time.advance(499);
    expect(await takeNow()).toBeNull();
    time.advance(1);
    expect([await takeNow(), await takeNow()]).toEqual(["a", null]);
  });

  test("of two delays the shorter one holds", async () => {
    const { time, queue } = setUp();
    queue.addAfter("a", 500);
    queue.addAfter("a", 100);
    queue.addAfter("a", 900);
    time.advance(100);
    expect(queue.depth).toBe(1);
    expect(time.pending).toBe(0);
  });

  test("adding a delayed key now cancels the delay", async () => {
    const { time, queue, takeNow } = setUp();
    queue.addAfter("a", 500);
    queue.add("a", "user");
    expect(await takeNow()).toBe("a");
    queue.done("a");
    time.advance(1000);
    expect(await takeNow()).toBeNull();
  });

  test("retries wait twice as long each time up to the longest wait, and from the start once forgotten", () => {
    const { queue } = setUp();
    const a = { key: "a", priority: "user" } as const;
    expect([1, 2, 3, 4, 5, 6].map(() => queue.retry(a))).toEqual([100, 200, 400, 800, 1000, 1000]);
    queue.forget("a");
    expect(queue.retry(a)).toBe(100);
  });

  test("the first retry has the priority of what failed, later ones wait behind everything", async () => {
    const { time, queue, takeNow } = setUp();
    for (const expected of [
      ["a", "other"],
      ["other", "a"],
    ]) {
      queue.retry({ key: "a", priority: "user" });
      queue.add("other", "change");
      time.advance(1000);
      expect([await takeNow(), await takeNow()]).toEqual(expected);
      for (const key of expected) queue.done(key);
    }
  });

  test("a retry waits at least as long as the server asks", () => {
    const { queue } = setUp();
    expect(queue.retry({ key: "a", priority: "user" }, 7000)).toBe(7000);
  });

  test("a taker that waits gets the next key and how long it had waited", async () => {
    const { time, queue } = setUp();
    const waiting = queue.take();
    queue.add("a", "user");
    expect(await waiting).toEqual({ key: "a", priority: "user", waitedMs: 0 });
    queue.add("b", "user");
    time.advance(250);
    expect(await queue.take()).toEqual({ key: "b", priority: "user", waitedMs: 250 });
  });

  test("closing sends takers home, drops what waits and sets no more timers", async () => {
    const { time, queue } = setUp();
    const waiting = queue.take();
    queue.addAfter("a", 500);
    queue[Symbol.dispose]();
    expect(await waiting).toBeNull();
    queue.add("b", "user");
    queue.addAfter("c", 10);
    expect(await queue.take()).toBeNull();
    expect([queue.depth, time.pending]).toEqual([0, 0]);
  });
});
