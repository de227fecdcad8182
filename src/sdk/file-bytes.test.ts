import { describe, expect, test } from "vitest";
import { type RangeOptions, rangeHeaders, readBytes, readStream } from "./file-bytes.ts";
import { toBase64 } from "./file-change.ts";

describe("a range", () => {
  test.each<[string, RangeOptions, Record<string, string>]>([
    ["from a start", { range: { start: 10 } }, { range: "bytes=10-" }],
    ["with an end", { range: { start: 0, end: 9 } }, { range: "bytes=0-9" }],
    ["of the last bytes", { range: { last: 5 } }, { range: "bytes=-5" }],
    ["of one version", { range: { start: 1 }, ifRange: '"x"' }, { range: "bytes=1-", "if-range": '"x"' }],
    ["that is none, of another version", { ifNoneMatch: '"x"' }, { "if-none-match": '"x"' }],
  ])("%s", (_, options, headers) => {
    expect(rangeHeaders(options)).toEqual(headers);
  });

  test.each([{ start: -1 }, { start: 0.5 }, { start: 0, end: Number.NaN }, { last: -2 }])("of %j is no range", (range) => {
    expect(() => rangeHeaders({ range })).toThrow(TypeError);
  });
});

describe("an answer of bytes", () => {
  const part = { status: 206, headers: { "content-range": "bytes 4-6/100", etag: '"x"' } };

  test("tells where a part stands in the whole", async () => {
    expect(await readBytes(new Response("abc", part))).toEqual({
      bytes: new TextEncoder().encode("abc"),
      start: 4,
      size: 100,
      etag: '"x"',
    });
    expect(await readStream(new Response("abc", part))).toMatchObject({ start: 4, size: 100, etag: '"x"' });
  });

  test("does not take the length of compressed bytes for the file's", async () => {
    const headers = { "content-encoding": "gzip", "content-length": "2" };
    expect(await readStream(new Response("abc", { headers }))).toMatchObject({ size: null });
    expect(await readBytes(new Response("abc", { headers }))).toMatchObject({ size: 3 });
  });
});

test("bytes become base64 in one piece, whatever their number", () => {
  for (const length of [0, 1, 2, 3, 0x8000 - 1, 0x8000, 0x8000 + 1, 200_000]) {
    const bytes = Uint8Array.from({ length }, (_, index) => (index * 31) % 256);
    expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString("base64"));
  }
});
