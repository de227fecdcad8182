import { describe, expect, test } from "vitest";
import { Turns } from "./turns.ts";

const never = new AbortController().signal;

describe("turns", () => {
  test("are as many at once as there are, then one for each that ends, in order", async () => {
    const turns = new Turns(2);
    const events: string[] = [];
    const first = await turns.take(never);
    const second = await turns.take(never);
    const third = turns.take(never).then((turn) => ({ turn, at: events.push("third") }));
    const fourth = turns.take(never).then((turn) => ({ turn, at: events.push("fourth") }));
    expect(events).toEqual([]);
    second[Symbol.dispose]();
    await third;
    expect(events).toEqual(["third"]);
    first[Symbol.dispose]();
    await fourth;
    expect(events).toEqual(["third", "fourth"]);
  });

  test("are given up by whoever stops waiting, and reach the next one", async () => {
    const turns = new Turns(1);
    const first = await turns.take(never);
    const leaving = new AbortController();
    const second = turns.take(leaving.signal);
    const third = turns.take(never);
    leaving.abort(new RangeError("gone"));
    await expect(second).rejects.toThrow("gone");
    first[Symbol.dispose]();
    (await third)[Symbol.dispose]();
    (await turns.take(never))[Symbol.dispose]();
  });

  test("are not taken by whoever is gone already", async () => {
    const turns = new Turns(1);
    await expect(turns.take(AbortSignal.abort(new RangeError("gone")))).rejects.toThrow("gone");
    (await turns.take(never))[Symbol.dispose]();
  });
});
