import { describe, expect, it } from "vitest";
import { KeyedQueue } from "./keyed-queue.ts";

describe("work under one key", () => {
  it("runs one after the other in the order of asking, also after a failure", async () => {
    const queue = new KeyedQueue();
    const events: string[] = [];
    const work = (name: string, fails = false) =>
      queue.run("key", async () => {
        events.push(`${name} begins`);
        await new Promise(setImmediate);
        events.push(`${name} ends`);
        if (fails) throw new TypeError(name);
        return name;
      });
    const all = await Promise.allSettled([work("a"), work("b", true), work("c")]);
    expect(all.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(events).toEqual(["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]);
    expect(await work("d")).toBe("d");
  });

  it("does not wait for work under another", async () => {
    const queue = new KeyedQueue();
    const { promise, resolve } = Promise.withResolvers<void>();
    const first = queue.run("a", () => promise);
    expect(await queue.run("b", async () => "done")).toBe("done");
    resolve();
    await first;
  });
});
