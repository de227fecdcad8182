import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { readGitBody } from "./git-body.ts";

async function read(bytes: Uint8Array, encoding?: string, maxBytes?: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readGitBody(Readable.from([bytes], { objectMode: false }), encoding, maxBytes)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const text = Buffer.from("0014command=ls-refs\n0000");

describe("the body of a git request", () => {
  test("is read as it is", async () => expect(await read(text)).toBe(text.toString()));

  test.each(["gzip", "x-gzip", "GZIP"])("is decoded from %s", async (encoding) => {
    expect(await read(gzipSync(text), encoding)).toBe(text.toString());
  });

  test("is refused in another encoding", async () => {
    await expect(read(text, "br")).rejects.toMatchObject({ code: "InvalidRequest" });
  });

  test("is refused when it is broken gzip", async () => {
    await expect(read(gzipSync(text).subarray(0, 12), "gzip")).rejects.toMatchObject({ code: "InvalidRequest" });
  });

  test("is cut off when it unpacks to more than the limit, however small it is packed", async () => {
    const bomb = gzipSync(Buffer.alloc(1024 * 1024));
    expect(bomb.byteLength).toBeLessThan(2048);
    await expect(read(bomb, "gzip", 64 * 1024)).rejects.toMatchObject({ code: "BodyTooLarge" });
  });
});
