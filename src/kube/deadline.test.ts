import { describe, expect, test } from "vitest";
import { ManualTime } from "../../test/support/manual-time.ts";
import { Deadline } from "./deadline.ts";

describe("a deadline", () => {
  test("ends the work when its time is over, and not before", () => {
    const time = new ManualTime();
    using deadline = new Deadline(time, 100, []);
    time.advance(99);
    expect([deadline.signal.aborted, deadline.hasPassed]).toEqual([false, false]);
    time.advance(1);
    expect([deadline.signal.aborted, deadline.hasPassed]).toEqual([true, true]);
    expect(deadline.signal.reason).toMatchObject({ name: "TimeoutError" });
  });

  test("ends with whoever else ends the work, for their reason", () => {
    const caller = new AbortController();
    using deadline = new Deadline(new ManualTime(), 100, [new AbortController().signal, caller.signal]);
    caller.abort("gone");
    expect([deadline.signal.reason, deadline.hasPassed]).toEqual(["gone", false]);
    using late = new Deadline(new ManualTime(), 100, [caller.signal]);
    expect(late.signal.reason).toBe("gone");
  });

  test("holds nothing once the work is done", () => {
    const time = new ManualTime();
    const caller = new AbortController();
    const deadline = new Deadline(time, 100, [caller.signal]);
    deadline[Symbol.dispose]();
    caller.abort();
    expect([time.pending, deadline.signal.aborted]).toEqual([0, false]);
  });
});
