import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CoregitError } from "../../domain/errors.ts";
import { DELIMITER, encodeLine, FLUSH, lineOf, type Packet, PacketDecoder } from "./wire.ts";

function decode(chunks: readonly Uint8Array[]): Packet[] {
  const decoder = new PacketDecoder();
  return chunks.flatMap((chunk) => decoder.push(chunk));
}

describe("packets", () => {
  test("are what was encoded, in every kind", () => {
    const bytes = Buffer.concat([encodeLine("command=ls-refs"), DELIMITER, Buffer.from("0002"), Buffer.from("0004"), FLUSH]);
    expect(decode([bytes]).map((packet) => (packet.kind === "data" ? lineOf(packet.payload) : packet.kind))).toEqual([
      "command=ls-refs",
      "delimiter",
      "response-end",
      "",
      "flush",
    ]);
  });

  test("are the same however the stream is cut", () => {
    const lines = fc.array(fc.string({ maxLength: 80 }), { maxLength: 20 });
    fc.assert(
      fc.property(lines, fc.array(fc.nat(40)), (texts, cuts) => {
        const bytes = Buffer.concat([...texts.map((text) => encodeLine(text)), FLUSH]);
        const chunks: Buffer[] = [];
        let at = 0;
        for (const cut of cuts) {
          chunks.push(bytes.subarray(at, at + cut));
          at += cut;
        }
        chunks.push(bytes.subarray(at));
        expect(decode(chunks)).toEqual(decode([bytes]));
      }),
    );
  });

  test("of the largest size pass and of one byte more do not", () => {
    const largest = Buffer.concat([Buffer.from("fff0"), Buffer.alloc(65_516)]);
    expect(decode([largest])).toHaveLength(1);
    expect(() => decode([Buffer.from("fff1")])).toThrow(expect.objectContaining({ code: "RemoteProtocol" }));
  });

  test.each(["0003", "zzzz", "00 4", "-001", "+004", "0x10", "<htm", "\0\0\0\0"])("with the length %j are refused", (length) => {
    expect(() => decode([Buffer.from(length)])).toThrow(expect.objectContaining({ code: "RemoteProtocol" }));
  });

  test("hold back no more than one packet, whatever comes", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 })), (chunks) => {
        try {
          decode(chunks);
        } catch (error) {
          expect(error).toBeInstanceOf(CoregitError);
        }
      }),
    );
  });

  test("are not made of a line that does not fit", () => {
    expect(() => encodeLine("x".repeat(65_516))).toThrow(RangeError);
  });
});
