import { describe, expect, test } from "vitest";
import { type Outcomes, SharedTurns } from "./shared-turns.ts";

const done = (value: string): PromiseSettledResult<string> => ({ status: "fulfilled", value });
const failed = (reason: unknown): PromiseSettledResult<string> => ({ status: "rejected", reason });

/** Turns whose work waits to be told how it ends, and what it was shown. */
function openTurns(most: number) {
  const shown: (readonly string[])[] = [];
  const endings: PromiseWithResolvers<Outcomes<string>>[] = [];
  const turns = new SharedTurns<string, string>((inputs) => {
    shown.push(inputs);
    const ending = Promise.withResolvers<Outcomes<string>>();
    endings.push(ending);
    return ending.promise;
  }, most);
  const end = async (...outcomes: Outcomes<string>): Promise<void> => {
    endings.shift()?.resolve(outcomes);
    await new Promise(setImmediate);
  };
  const fail = async (error: Error): Promise<void> => {
    endings.shift()?.reject(error);
    await new Promise(setImmediate);
  };
  return { turns, shown, end, fail };
}

describe("turns", () => {
  test("are taken in order, with as many as are taken along", async () => {
    const { turns, shown, end } = openTurns(3);
    const all = Promise.all(["a", "b", "c", "d", "e"].map((input) => turns.run("key", input)));
    expect(shown).toEqual([["a"]]);
    await end(done("A"));
    expect(shown[1]).toEqual(["b", "c", "d"]);
    await end(done("B"), done("C"));
    expect(shown[2]).toEqual(["d", "e"]);
    await end(done("D"));
    await end(done("E"));
    expect(await all).toEqual(["A", "B", "C", "D", "E"]);
  });

  test("of other keys do not wait", async () => {
    const { turns, shown, end } = openTurns(3);
    const all = Promise.all([turns.run("one", "a"), turns.run("two", "b")]);
    expect(shown).toEqual([["a"], ["b"]]);
    await end(done("A"));
    await end(done("B"));
    expect(await all).toEqual(["A", "B"]);
  });

  test("end for each with what became of it, and what is thrown is the first one's alone", async () => {
    const { turns, end, fail } = openTurns(3);
    const all = Promise.allSettled(["a", "b", "c", "d"].map((input) => turns.run("key", input)));
    await end(done("A"));
    await end(done("B"), failed("of c"));
    await fail(new Error("of d"));
    expect(await all).toEqual([done("A"), done("B"), failed("of c"), failed(new Error("of d"))]);
    const again = turns.run("key", "e");
    await end(done("E"));
    expect(await again).toBe("E");
  });

  test("thrown of leave the others waiting", async () => {
    const { turns, shown, end, fail } = openTurns(3);
    const all = Promise.allSettled(["a", "b", "c"].map((input) => turns.run("key", input)));
    await end(done("A"));
    await fail(new Error("of b"));
    expect(shown[2]).toEqual(["c"]);
    await end(done("C"));
    expect(await all).toEqual([done("A"), failed(new Error("of b")), done("C")]);
  });
});
