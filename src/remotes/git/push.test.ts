// What is said in a push, byte by byte, and what is made of every answer.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CoregitError } from "../../domain/errors.ts";
import { parseOid } from "../../domain/oid.ts";
import { PacketReader } from "./packet-reader.ts";
import { pushCommand, pushFailure } from "./push.ts";
import { type PushReport, readReport } from "./push-report.ts";
import { createQuote } from "./remote-text.ts";
import { encodeLine, encodePacket, FLUSH } from "./wire.ts";

const A = parseOid("a".repeat(40));
const B = parseOid("b".repeat(40));
const REF = "refs/heads/main";
const quote = createQuote(["hunter2"]);

function readerOf(bytes: Uint8Array): PacketReader {
  async function* chunks() {
    yield bytes;
  }
  return new PacketReader(chunks(), quote);
}

const lines = (...texts: readonly string[]): Buffer => Buffer.concat([...texts.map(encodeLine), FLUSH]);
const banded = (band: number, bytes: Uint8Array): Buffer => encodePacket(Buffer.concat([Buffer.from([band]), bytes]));

describe("the command", () => {
  test("names the old commit and asks for what the server offers", () => {
    const offered = new Map([
      ["report-status", ""],
      ["report-status-v2", ""],
      ["side-band-64k", ""],
      ["atomic", ""],
      ["push-options", ""],
      ["agent", "git/2"],
    ]);
    const text = pushCommand({ branch: "main", expected: A, next: B }, offered, "coregit/1").toString();
    expect(text.slice(4)).toBe(`${A} ${B} ${REF}\0 report-status-v2 side-band-64k atomic agent=coregit/1\n0000`);
  });

  test("makes a branch from nothing, and asks an old server for what it has", () => {
    const text = pushCommand({ branch: "main", expected: null, next: B }, new Map([["report-status", ""]]), "x").toString();
    expect(text.slice(4)).toBe(`${"0".repeat(40)} ${B} ${REF}\0 report-status\n0000`);
  });

  test("is not sent to a server that would not say what became of it", () => {
    expect(() => pushCommand({ branch: "main", expected: A, next: B }, new Map(), "x")).toThrow(
      expect.objectContaining({ code: "RemoteUnsupported" }),
    );
  });
});

describe("the report", () => {
  test("of success is read bare, in the side band, and in pieces", async () => {
    const done = lines("unpack ok", `ok ${REF}`, "option refname refs/heads/other");
    const expected: PushReport = { unpack: "ok", refusal: null, said: "" };
    expect(await readReport(readerOf(done), REF, false)).toEqual(expected);
    const pieces = Array.from(done, (byte) => banded(1, Buffer.from([byte])));
    expect(await readReport(readerOf(Buffer.concat([...pieces, FLUSH])), REF, true)).toEqual(expected);
  });

  test("of a refusal has the reason and what the remote printed", async () => {
    const bytes = Buffer.concat([
      banded(2, Buffer.from("error: no\n")),
      banded(1, lines("unpack ok", `ng ${REF} hook declined`)),
      FLUSH,
    ]);
    expect(await readReport(readerOf(bytes), REF, true)).toEqual({ unpack: "ok", refusal: "hook declined", said: "error: no\n" });
  });

  test.each([
    ["without a word about the ref", lines("unpack ok")],
    ["of another ref", lines("unpack ok", "ok refs/heads/other")],
    ["of something else", lines("hello")],
    ["without end", Buffer.concat(Array.from({ length: 100 }, () => encodeLine("unpack ok")))],
    ["that is cut short", encodeLine("unpack ok")],
  ])("%s is none", async (_what, bytes) => {
    await expect(readReport(readerOf(bytes), REF, false)).rejects.toMatchObject({ code: "RemoteProtocol" });
  });

  test("is read or refused whatever the bytes are", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.boolean(), async (bytes, isBanded) => {
        await readReport(readerOf(bytes), REF, isBanded).catch((error: unknown) => expect(error).toBeInstanceOf(CoregitError));
      }),
    );
  });
});

describe("a refusal", () => {
  test.each([
    ["protected branch hook declined", "", "RemoteBranchProtected"],
    [
      "pre-receive hook declined",
      "GitLab: You are not allowed to push code to protected branches on this project.",
      "RemoteBranchProtected",
    ],
    ["branch is currently checked out", "", "RemoteBranchProtected"],
    ["pre-receive hook declined", "error: GH001: Large files detected.", "RemoteTooLarge"],
    [
      "refusing to allow an OAuth App to create or update workflow `.github/workflows/ci.yml` without `workflow` scope",
      "",
      "AccessDenied",
    ],
    ["push declined due to repository rule violations", "error: GH013: Push cannot contain secrets", "RemoteRefused"],
    ["failed to update ref", "", "RemoteRefused"],
  ])("%s (%s) is %s", (refusal, said, code) => {
    expect(pushFailure({ unpack: "ok", refusal, said }, "main", quote)).toMatchObject({ code });
  });

  test("is quoted without secrets and control characters, with what to change", () => {
    const failure = pushFailure({ unpack: "ok", refusal: "no", said: "token hunter2\u001b[31m" }, "main", quote);
    expect(failure?.message).toBe(
      'The remote refuses the push to main: "no", "token *** [31m". Change what its rule names, or the rule.',
    );
  });

  test("of the pack is one even where the ref is said to be fine", () => {
    const report = { unpack: "index-pack abnormal exit", refusal: null, said: "fatal: pack exceeds maximum allowed size" };
    expect(pushFailure(report, "main", quote)).toMatchObject({ code: "RemoteTooLarge" });
    expect(pushFailure({ ...report, unpack: "ok", said: "" }, "main", quote)).toBeNull();
  });
});
