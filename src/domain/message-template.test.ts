import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkMessageTemplate, composeMessage, readTrailers } from "./message-template.ts";
import { parseOid } from "./oid.ts";

const sha = parseOid("0123456789abcdef0123456789abcdef01234567");
const values = { remote: "https://example.com/a.git", branch: "main", sha, added: 1, modified: 2, deleted: 3 };
const trailers = { sync: "sync_1", origin: "https://example.com/a.git", originCommit: sha };
const block = `Coregit-Sync: sync_1\nCoregit-Origin: https://example.com/a.git\nCoregit-Origin-Commit: ${sha}\n`;

describe("the message of a sync's commit", () => {
  it("has a default", () => {
    expect(composeMessage(null, values, trailers)).toBe(
      `Sync main of https://example.com/a.git at 0123456\n\n1 added, 2 modified, 3 deleted\n\n${block}`,
    );
  });

  it("fills in every placeholder", () => {
    const template = "{{remote}} {{ branch }} {{sha}} {{shortSha}} {{added}} {{modified}} {{deleted}}";
    expect(composeMessage(template, values, trailers)).toBe(`https://example.com/a.git main ${sha} 0123456 1 2 3\n\n${block}`);
  });

  it("joins trailers that the template ends with, so that git reads one block", () => {
    expect(composeMessage("Sync\n\nReviewed-by: Zoë <z@example.com>\n", values, trailers)).toBe(
      `Sync\n\nReviewed-by: Zoë <z@example.com>\n${block}`,
    );
    expect(composeMessage("chore: sync", values, trailers)).toBe(`chore: sync\n\n${block}`);
  });

  it.each([
    ["{{nope}}", "has the unknown placeholder {{nope}}; known are remote, branch, sha, shortSha, added, modified, deleted"],
    ["{{}}", "has the unknown placeholder {{}}; known are remote, branch, sha, shortSha, added, modified, deleted"],
    ["{{remote", "has a {{ that is not closed by }}"],
    [" \n", "is empty"],
    ["x".repeat(4097), "is longer than 4096 characters"],
  ])("is refused when the template is %.12j", (template, reason) => {
    expect(checkMessageTemplate(template)).toBe(reason);
    expect(() => composeMessage(template, values, trailers)).toThrow(
      expect.objectContaining({ code: "InvalidSpec", details: { field: "commit.messageTemplate" } }),
    );
  });

  it("cannot be made to carry trailers that are not its own, nor bytes that break a commit", () => {
    const forged = { ...trailers, sync: "sync_other", originCommit: parseOid("f".repeat(40)) };
    const line = fc.constantFrom(
      "Coregit-Sync: sync_other",
      "  coregit-origin : x",
      `Coregit-Origin-Commit: ${forged.originCommit}`,
      "{{remote}}",
      "text",
      "",
      "\0",
      "\r",
      "A-b: c",
    );
    const text = fc.array(line, { minLength: 1, maxLength: 8 }).map((lines) => lines.join("\n"));
    const remote = fc.constantFrom("x", `x\n\nCoregit-Sync: sync_other`, "x\r\nCoregit-Origin: y");
    fc.assert(
      fc.property(text, remote, (template, evil) => {
        fc.pre(checkMessageTemplate(template) === null);
        const message = composeMessage(template, { ...values, remote: evil }, trailers);
        expect(readTrailers(message)).toEqual(trailers);
        expect(message.match(/^\s*coregit-sync\s*:/gim)).toHaveLength(1);
        expect(message).not.toMatch(/[\0\r]/);
      }),
    );
  });

  it("is read by git as it is meant", () => {
    const message = composeMessage("Sync\n\nCoregit-Sync: forged\nReviewed-by: x", values, trailers);
    const parsed = execFileSync("git", ["interpret-trailers", "--parse"], { input: message, encoding: "utf8" });
    expect(parsed.split("\n").filter((line) => line.startsWith("Coregit-"))).toEqual(block.trimEnd().split("\n"));
  });
});

describe("trailers read from a commit", () => {
  it.each([
    ["no trailers", "Subject\n\nBody\n"],
    ["only some of them", "Subject\n\nCoregit-Sync: a\nCoregit-Origin: b\n"],
    ["an oid that is none", "Subject\n\nCoregit-Sync: a\nCoregit-Origin: b\nCoregit-Origin-Commit: main\n"],
    ["them in the middle of the text", `Subject\n\n${block}\nMore text\n`],
    ["nothing at all", ""],
  ])("are none with %s", (_, message) => {
    expect(readTrailers(message)).toBeNull();
  });
});
