// What servers say, as bytes: announcements, lists of refs and packs of every protocol version, and what no server says.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CoregitError } from "../../domain/errors.ts";
import { parseOid } from "../../domain/oid.ts";
import type { RemoteHead } from "../remote.ts";
import { readAdvertisement, type Server } from "./advertisement.ts";
import { fetchRequest, readPack } from "./fetch.ts";
import { readHeadLines } from "./ls-refs.ts";
import { PacketReader } from "./packet-reader.ts";
import { createQuote } from "./remote-text.ts";
import { DELIMITER, encodeLine, FLUSH } from "./wire.ts";

const A = parseOid("a".repeat(40));
const B = parseOid("b".repeat(40));

async function* stream(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield bytes;
}

async function drain(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}

function readerOf(...packets: readonly (string | Uint8Array)[]): PacketReader {
  const bytes = Buffer.concat(packets.map((packet) => (typeof packet === "string" ? encodeLine(packet) : packet)));
  return new PacketReader(stream(bytes), createQuote(["hunter2"]));
}

function band(number: number, text: string): Buffer {
  const payload = Buffer.concat([Buffer.from([number]), Buffer.from(text)]);
  return Buffer.concat([Buffer.from((payload.length + 4).toString(16).padStart(4, "0")), payload]);
}

async function packOf(version: 0 | 2, ...packets: readonly (string | Uint8Array)[]): Promise<string> {
  return (await drain(readPack(readerOf(...packets), version))).toString();
}

describe("an announcement", () => {
  test.each<[string, readonly (string | Uint8Array)[]]>([
    ["alone", ["version 2", "agent=git/2.39", "ls-refs=unborn", FLUSH]],
    [
      "after the preamble of smart HTTP",
      ["# service=git-upload-pack", FLUSH, "version 2", "agent=git/2.39", "ls-refs=unborn", FLUSH],
    ],
  ])("of version 2 is read %s", async (_case, packets) => {
    expect(await readAdvertisement(readerOf(...packets), null)).toEqual({
      server: {
        version: 2,
        capabilities: new Map([
          ["agent", "git/2.39"],
          ["ls-refs", "unborn"],
        ]),
      },
      head: null,
    });
  });

  const caps = "side-band-64k shallow symref=HEAD:refs/heads/trunk object-format=sha1";
  test.each<[string, string | null, readonly (string | Uint8Array)[], RemoteHead]>([
    [
      "HEAD's branch",
      null,
      [`${A} HEAD\0${caps}`, `${B} refs/heads/a`, `${A} refs/heads/trunk`, FLUSH],
      { branch: "trunk", oid: A, isEmpty: false },
    ],
    ["a named branch", "a", [`${A} HEAD\0${caps}`, `${B} refs/heads/a`, FLUSH], { branch: "a", oid: B, isEmpty: false }],
    ["a missing branch", "x", [`${A} HEAD\0${caps}`, `${B} refs/heads/a`, FLUSH], { branch: "x", oid: null, isEmpty: false }],
    ["version 1", "a", ["version 1", `${B} refs/heads/a\0shallow`, FLUSH], { branch: "a", oid: B, isEmpty: false }],
    [
      "an empty remote",
      null,
      [`${"0".repeat(40)} capabilities^{}\0${caps}`, FLUSH],
      { branch: "trunk", oid: null, isEmpty: true },
    ],
    [
      "a HEAD without symref",
      null,
      [`${A} HEAD\0shallow`, `${A} refs/heads/a`, `${A} refs/heads/main`, FLUSH],
      { branch: "main", oid: A, isEmpty: false },
    ],
    ["a shallow remote", "a", [`${B} refs/heads/a\0shallow`, `shallow ${B}`, FLUSH], { branch: "a", oid: B, isEmpty: false }],
    [
      "a HEAD that names no branch",
      null,
      [`${A} HEAD\0symref=HEAD:refs/heads/..`, FLUSH],
      { branch: null, oid: A, isEmpty: false },
    ],
  ])("before version 2 gives %s", async (_case, branch, packets, head) => {
    expect((await readAdvertisement(readerOf("# service=git-upload-pack", FLUSH, ...packets), branch)).head).toEqual(head);
  });

  test.each<[string, readonly (string | Uint8Array)[], string]>([
    ["SHA-256 in version 2", ["version 2", "object-format=sha256", FLUSH], "RemoteUnsupported"],
    ["SHA-256 before", [`${A} HEAD\0object-format=sha256`, FLUSH], "RemoteUnsupported"],
    ["an end in the middle", ["version 2", "agent=x"], "RemoteProtocol"],
    ["refs without capabilities", [`${A} HEAD`, FLUSH], "RemoteProtocol"],
    ["refs without ids", [`${A} HEAD\0x`, "zzz refs/heads/a", FLUSH], "RemoteProtocol"],
    ["an error", ["ERR access denied for hunter2", FLUSH], "RemoteProtocol"],
    ["endless capabilities", ["version 2", ...Array.from({ length: 300 }, (_, index) => `cap${index}`), FLUSH], "RemoteProtocol"],
  ])("with %s is refused", async (_case, packets, code) => {
    const failure = await readAdvertisement(readerOf(...packets), null).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code });
    expect(String(failure)).not.toContain("hunter2");
  });
});

describe("a list of refs in version 2", () => {
  test.each<[string, string | null, readonly string[], RemoteHead]>([
    ["HEAD", null, [`${A} HEAD symref-target:refs/heads/main`], { branch: "main", oid: A, isEmpty: false }],
    ["a detached HEAD", null, [`${A} HEAD`], { branch: null, oid: A, isEmpty: false }],
    ["an unborn HEAD", null, ["unborn HEAD symref-target:refs/heads/main"], { branch: "main", oid: null, isEmpty: true }],
    [
      "a branch, not one that begins like it",
      "main",
      [`${B} refs/heads/main2`, `${A} refs/heads/main`],
      { branch: "main", oid: A, isEmpty: false },
    ],
    ["nothing", null, [], { branch: null, oid: null, isEmpty: true }],
  ])("gives %s", async (_case, branch, lines, head) => {
    expect(await readHeadLines(readerOf(...lines, FLUSH), branch)).toEqual(head);
  });
});

describe("a pack", () => {
  test("is read from its section, progress left out", async () => {
    const answer = [
      "shallow-info",
      `shallow ${A}`,
      DELIMITER,
      "packfile",
      band(2, "counting"),
      band(1, "PA"),
      band(1, ""),
      band(1, "CK"),
      FLUSH,
    ];
    expect(await packOf(2, ...answer)).toBe("PACK");
  });

  test("is read after shallow lines and NAK before version 2", async () => {
    expect(await packOf(0, `shallow ${A}`, FLUSH, "NAK", band(1, "PA"), band(2, "x"), band(1, "CK"), FLUSH)).toBe("PACK");
  });

  test.each<[string, 0 | 2, readonly (string | Uint8Array)[], string]>([
    ["a commit that is gone", 2, [`ERR upload-pack: not our ref ${A}`], "RemoteMoved"],
    ["a commit that is gone (JGit)", 2, [`ERR want ${A} not valid`], "RemoteMoved"],
    ["a commit that is gone, told in band 3", 0, [FLUSH, "NAK", band(3, `upload-pack: not our ref ${A}`)], "RemoteMoved"],
    ["an error in the middle", 2, ["packfile", band(1, "PA"), band(3, "disk full")], "RemoteProtocol"],
    ["an end in the middle", 2, ["packfile", band(1, "PA")], "RemoteProtocol"],
    ["no band", 2, ["packfile", band(9, "PA"), FLUSH], "RemoteProtocol"],
    ["an empty packet in it", 2, ["packfile", Buffer.from("0004"), FLUSH], "RemoteProtocol"],
  ])("with %s fails", async (_case, version, packets, code) => {
    await expect(packOf(version, ...packets)).rejects.toMatchObject({ code });
  });
});

describe("a request for a pack", () => {
  const server = (version: 0 | 2, ...caps: readonly [string, string][]): Server => ({ version, capabilities: new Map(caps) });

  test("tells what both sides have as shallow and as had", () => {
    const text = fetchRequest(server(2, ["fetch", "shallow filter"], ["agent", ""]), { oid: A, have: B }, "coregit/1").toString();
    expect(text.split("\n").map((line) => line.replace(/^(?:000[01])?[0-9a-f]{4}/, ""))).toEqual([
      "command=fetch",
      "agent=coregit/1",
      "no-progress",
      "ofs-delta",
      "thin-pack",
      `shallow ${B}`,
      "deepen 1",
      `want ${A}`,
      `have ${B}`,
      "done",
      "",
    ]);
  });

  test.each<[string, Server]>([
    ["shallow fetches in version 2", server(2, ["fetch", "filter"])],
    ["shallow fetches before", server(0, ["side-band-64k", ""])],
    ["side bands", server(0, ["shallow", ""])],
  ])("is not made to a server without %s", (_case, without) => {
    expect(() => fetchRequest(without, { oid: A, have: null }, "x")).toThrow(
      expect.objectContaining({ code: "RemoteUnsupported" }),
    );
  });
});

test("whatever a server sends is read or refused, and never anything else happens", async () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.constantFrom(
      FLUSH,
      DELIMITER,
      encodeLine("packfile"),
      encodeLine("version 2"),
      encodeLine(`${A} HEAD\0shallow`),
      encodeLine("ERR x"),
    ),
    fc.string({ maxLength: 60 }).map((text) => encodeLine(text)),
    fc.tuple(fc.nat(4), fc.string()).map(([number, text]) => band(number, text)),
  );
  const readers: readonly ((reader: PacketReader) => Promise<unknown>)[] = [
    (reader) => readAdvertisement(reader, null),
    (reader) => readAdvertisement(reader, "main"),
    (reader) => readHeadLines(reader, null),
    (reader) => drain(readPack(reader, 0)),
    (reader) => drain(readPack(reader, 2)),
  ];
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 12 }), fc.constantFrom(...readers), async (pieces, read) => {
      const failure = await read(new PacketReader(stream(Buffer.concat(pieces)), createQuote([]))).then(
        () => null,
        (error: unknown) => error,
      );
      if (failure !== null) expect(failure).toBeInstanceOf(CoregitError);
    }),
    { numRuns: 3000 },
  );
});
