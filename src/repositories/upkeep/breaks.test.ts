import { describe, expect, it } from "vitest";
import { beginWork } from "./breaks.ts";

/** A break that is taken ends at once with this, so that what is tested takes no time. */
const ended = AbortSignal.abort(new Error("a break was taken"));

function workOf(...piecesMs: number[]): () => Promise<void> {
  let nowMs = 0;
  const takeBreak = beginWork({ now: () => 0, monotonic: () => nowMs });
  return async () => {
    nowMs += piecesMs.shift() ?? 0;
    await takeBreak(ended);
  };
}

describe("a break", () => {
  it("is taken after work that others would notice", async () => {
    await expect(workOf(20)()).rejects.toThrow();
  });

  it("is put off after less, and taken once it has become enough", async () => {
    const work = workOf(3, 3);
    await expect(work()).resolves.toBeUndefined();
    await expect(work()).rejects.toThrow();
  });

  it("counts from the last one", async () => {
    let nowMs = 0;
    const takeBreak = beginWork({ now: () => 0, monotonic: () => nowMs });
    nowMs = 4;
    await takeBreak(new AbortController().signal);
    nowMs = 5;
    await expect(takeBreak(ended)).resolves.toBeUndefined();
  });
});
