import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeWatch, type WatchEvent } from "./watch-events.ts";

async function* pieces(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const places = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length];
  for (const [index, place] of places.entries()) yield bytes.subarray(place, places[index + 1] ?? bytes.length);
}

async function decode(text: string, cuts: readonly number[] = []): Promise<WatchEvent[]> {
  const events: WatchEvent[] = [];
  for await (const event of decodeWatch(pieces(Buffer.from(text), cuts), () => undefined)) events.push(event);
  return events;
}

const event = (name: string): WatchEvent => ({ type: "ADDED", object: { metadata: { name, uid: "u", resourceVersion: "1" } } });

describe("watch events", () => {
  test("are the same however the body is cut", async () => {
    const events = [event("a"), event("naïve ✓"), { type: "ERROR" as const, object: { code: 410 } }];
    const text = events.map((each) => `${JSON.stringify(each)}\n`).join("");
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(text.length * 2)), async (cuts) => {
        expect(await decode(text, cuts)).toEqual(events);
      }),
    );
  });

  test.each([
    { name: "a body that ends inside an event", text: `${JSON.stringify(event("a"))}\n{"type":"ADD`, reason: "Truncated" },
    { name: "a line that is no JSON", text: "<html>\n", reason: "Malformed" },
    { name: "a line that is no event", text: '{"kind":"Status"}\n', reason: "Malformed" },
    { name: "an event of unknown type", text: '{"type":"MOVED","object":{"metadata":{}}}\n', reason: "Malformed" },
    { name: "an object without metadata", text: '{"type":"ADDED","object":{}}\n', reason: "Malformed" },
  ])("$name is an error and is not skipped", async ({ text, reason }) => {
    await expect(decode(text)).rejects.toMatchObject({ reason });
  });

  test("an event larger than any object can be is refused before it is all in memory", async () => {
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) yield Buffer.alloc(1024 * 1024, "x");
    }
    const read = async (): Promise<void> => {
      for await (const _ of decodeWatch(endless(), () => undefined)) throw new Error("no event was expected");
    };
    await expect(read()).rejects.toMatchObject({ reason: "TooLarge" });
  });
});
