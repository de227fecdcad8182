import { inflateSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compress, compressLater } from "./deflate.ts";

describe("a compressed content", () => {
  it("is what it was when it is inflated, whatever its type and size", async () => {
    for (const size of [0, 1, 1_023, 1_024, 1_025, 2_048, 2_049, 4_096, 16_384, 16_385, 65_535, 65_536, 100_000]) {
      const content = Buffer.alloc(size, "\xff abc", "latin1");
      for (const type of ["tree", "blob"] as const) {
        expect(inflateSync(compress(type, content)).equals(content)).toBe(true);
        expect(inflateSync(await compressLater(type, content)).equals(content)).toBe(true);
      }
    }
  });

  it("may have any bytes, the highest sums included", () => {
    const highest = Buffer.alloc(65_535, 0xff);
    expect(inflateSync(compress("tree", highest)).equals(highest)).toBe(true);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1_200 }), (content) => {
        expect(inflateSync(compress("blob", content)).equals(content)).toBe(true);
      }),
    );
  });
});
