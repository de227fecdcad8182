import { inflateSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compress, compressLater } from "./deflate.ts";

describe("a compressed content", () => {
  it("is what it was when it is inflated, whatever its size", async () => {
    for (const size of [0, 1, 1_023, 1_024, 1_025, 4_096, 16_384, 16_385, 100_000]) {
      const content = Buffer.alloc(size, "\xff abc", "latin1");
      expect(inflateSync(compress(content)).equals(content)).toBe(true);
      expect(inflateSync(await compressLater(content)).equals(content)).toBe(true);
    }
  });

  it("may have any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1_200 }), (content) => {
        expect(inflateSync(compress(content)).equals(content)).toBe(true);
      }),
    );
  });
});
