import { describe, expect, test } from "vitest";
import { ZERO_OID } from "../../domain/oid.ts";
import { encodeLine, encodePacket, FLUSH } from "../../domain/pkt-line.ts";
import { readPushRequest } from "./push-request.ts";

const OLD = "1".repeat(40);
const NEW = "2".repeat(40);

/** The bytes in pieces of `size`. */
async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(bytes: Buffer, size = bytes.length) {
  const { commands, capabilities, pack } = await readPushRequest(inPieces(bytes, size));
  return {
    commands,
    capabilities: Object.fromEntries(capabilities),
    pack: Buffer.concat(await Array.fromAsync(pack)).toString(),
  };
}

const REQUEST = Buffer.concat([
  encodeLine(`shallow ${OLD}`),
  encodeLine(`${OLD} ${NEW} refs/heads/main\0 report-status-v2 agent=git/2=x atomic`),
  encodePacket(Buffer.from(`${ZERO_OID} ${NEW} refs/heads/ä b`)),
  encodeLine(`${OLD} ${ZERO_OID} refs/tags/v1`),
  FLUSH,
  Buffer.from("PACK and more"),
]);

describe("a push request", () => {
  test.each([1, 3, 64, 10_000])("is read the same in pieces of %i bytes", async (size) => {
    expect(await read(REQUEST, size)).toEqual({
      commands: [
        { name: "refs/heads/main", expected: OLD, next: NEW },
        { name: "refs/heads/ä b", expected: null, next: NEW },
        { name: "refs/tags/v1", expected: OLD, next: null },
      ],
      capabilities: { "report-status-v2": "", agent: "git/2=x", atomic: "" },
      pack: "PACK and more",
    });
  });

  test("of a flush alone has no commands", async () => {
    expect((await read(FLUSH)).commands).toEqual([]);
  });

  test.each([
    ["a packet length that is none", Buffer.from("zzzz")],
    ["a mark other than a flush", Buffer.from("0001")],
    ["an empty packet", Buffer.from("0004")],
    ["a packet length past git's own limit", Buffer.from("ffff")],
    ["an upper-case oid", Buffer.concat([encodeLine(`${OLD} ${"A".repeat(40)} refs/heads/x`), FLUSH])],
    ["a command without a name", Buffer.concat([encodeLine(`${OLD} ${NEW} `), FLUSH])],
    ["a name over two lines", Buffer.concat([encodeLine(`${OLD} ${NEW} refs/heads/a\nb`), FLUSH])],
    ["a second list of capabilities", Buffer.concat([encodeLine(`${OLD} ${NEW} a\0x`), encodeLine(`${OLD} ${NEW} b\0y`), FLUSH])],
    ["a signed push", Buffer.concat([encodeLine("push-cert\0 push-cert"), FLUSH])],
  ])("with %s is refused", async (_, bytes) => {
    await expect(read(bytes)).rejects.toMatchObject({ code: "InvalidRequest" });
  });
});
