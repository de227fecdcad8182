import { describe, expect, it } from "vitest";
import { newObject } from "../../domain/object-codec.ts";
import { type AnsweredCommit, commitBytes } from "./commit-bytes.ts";

const TREE = "1".repeat(40);
const PARENT = "2".repeat(40);
const WHO = { name: "Grace", email: "grace@example.com", date: "2023-11-14T22:13:20Z" };
const HEADERS = `tree ${TREE}\nparent ${PARENT}\nauthor Grace <grace@example.com> 1700000000 +0000\ncommitter Grace <grace@example.com> 1700000000 +0000\n`;

function answered(text: string, more: Partial<AnsweredCommit> = {}): AnsweredCommit {
  const { oid: sha } = newObject("commit", Buffer.from(text));
  return { sha, tree: { sha: TREE }, parents: [{ sha: PARENT }], author: WHO, committer: WHO, message: "Sync", ...more };
}
const bytes = (text: string, more?: Partial<AnsweredCommit>, sent = "Sync") => {
  const content = commitBytes(answered(text, more), sent);
  return content === null ? null : Buffer.from(content).toString();
};

describe("a commit's bytes", () => {
  it("are made of what GitHub answers", () => {
    const text = `${HEADERS}\nSync`;
    expect(bytes(text)).toBe(text);
  });

  it("have the message as it was sent, where the answer shows it trimmed", () => {
    const text = `${HEADERS}\nSync\n`;
    expect(bytes(text, {}, "Sync\n")).toBe(text);
  });

  it.each(["-----BEGIN PGP SIGNATURE-----\n\nabc\n-----END PGP SIGNATURE-----", "-----BEGIN\nabc\n-----END\n"])(
    "hold GitHub's signature, whether it ends in a line feed or not",
    (signature) => {
      const payload = `${HEADERS}\nSync`;
      const text = `${HEADERS}gpgsig ${signature.replaceAll("\n", "\n ")}\n\nSync`;
      expect(bytes(text, { verification: { payload, signature } })).toBe(text);
    },
  );

  it("are not believed unless they have the commit's id", () => {
    expect(bytes(`${HEADERS}encoding latin1\n\nSync`)).toBeNull();
  });

  it.each<Partial<AnsweredCommit>>([
    { tree: {} },
    { parents: [{ sha: "short" }] },
    { author: { name: "A\nparent", email: "x", date: WHO.date } },
    { committer: { ...WHO, date: "yesterday" } },
    { message: "a\0b" },
    { verification: { payload: "no headers", signature: "s" }, message: null },
  ])("are unknown where the answer makes none: %j", (more) => {
    expect(commitBytes(answered(`${HEADERS}\nother`, more), "x")).toBeNull();
  });
});
