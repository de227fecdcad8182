import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { branchOf, branchRef, checkBranchName, checkRefName, tagOf, tagRef } from "./ref-name.ts";

const GOOD = [
  "main",
  "feature/x",
  "a.b",
  "ünï/çode",
  "@",
  "a@b",
  "v1.0-rc",
  "head",
  "dead",
  "a".repeat(40).replace("a", "g"),
  "(x)",
  "a;b",
  "$(x)",
];
const BAD = [
  "",
  "a..b",
  "a b",
  "a~",
  "a^",
  "a:b",
  "a?",
  "a*",
  "a[",
  "a\\b",
  "a\x07",
  "a\x7f",
  ".a",
  "a/.b",
  "a.lock",
  "a.lock/b",
  "a.",
  "a/",
  "/a",
  "a//b",
  "a@{1}",
];

describe("a branch name", () => {
  it.each(GOOD)("%j is accepted, by git too", (name) => {
    expect(checkBranchName(name)).toBeNull();
    expect(spawnSync("git", ["check-ref-format", `refs/heads/${name}`]).status).toBe(0);
  });

  it.each(BAD)("%j is refused, by git too", (name) => {
    expect(checkBranchName(name)).not.toBeNull();
    expect(spawnSync("git", ["check-ref-format", `refs/heads/${name}`]).status).toBe(1);
  });

  it.each([
    ["-a", 'begins with "-"'],
    ["--upload-pack=x", 'begins with "-"'],
    ["HEAD", "is HEAD"],
    ["0123456789abcdef0123456789abcdef01234567", "looks like an object id"],
    ["0123456789ABCDEF0123456789abcdef01234567", "looks like an object id"],
    ["e".repeat(64), "looks like an object id"],
    ["a\ud800", "is not valid Unicode"],
    ["a/".repeat(500).concat("b"), "is longer than 1000 bytes"],
    ["a".repeat(241), "has a component longer than 240 bytes"],
  ])("%.20j is refused here", (name, reason) => {
    expect(checkBranchName(name)).toBe(reason);
  });

  it("becomes a full ref and back", () => {
    expect(branchRef("feature/x")).toBe("refs/heads/feature/x");
    expect(branchOf("refs/heads/feature/x")).toBe("feature/x");
    expect(branchOf("refs/tags/v1")).toBeNull();
  });

  it("that is refused is named in the error", () => {
    expect(() => branchRef("a b")).toThrow(
      expect.objectContaining({ code: "RefNameRefused", message: expect.stringContaining('"a b"') }),
    );
  });
});

describe("a tag name", () => {
  it("becomes a full ref and back", () => {
    expect(tagRef("release/1.0")).toBe("refs/tags/release/1.0");
    expect(tagOf("refs/tags/release/1.0")).toBe("release/1.0");
    expect(tagOf("refs/heads/release")).toBeNull();
  });

  it.each(["", "a b", "-v", "HEAD"])("%j is refused", (name) => {
    expect(() => tagRef(name)).toThrow(expect.objectContaining({ code: "RefNameRefused" }));
  });
});

describe("a full ref name", () => {
  it.each([
    ["refs/heads/main", null],
    ["refs/tags/v1", null],
    ["refs/stash", null],
    ["refs/pull/1/head", null],
    ["refs/notes/HEAD", null],
    ["refs/heads/HEAD", "is HEAD"],
    [`refs/tags/${"a".repeat(40)}`, "looks like an object id"],
    ["refs/heads", "is the folder of all branches or tags"],
    ["refs/tags", "is the folder of all branches or tags"],
    ["HEAD", "does not begin with refs/"],
    ["main", "does not begin with refs/"],
    ["refs/", 'has an empty component (a leading, trailing or double "/")'],
    ["refs/heads/../../config", 'has ".."'],
  ])("%j", (name, reason) => {
    expect(checkRefName(name)).toBe(reason);
  });
});
