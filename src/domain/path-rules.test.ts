import { describe, expect, it } from "vitest";
import { EMPTY_TREE, ZERO_OID } from "./oid.ts";
import { checkPath, checkTreeEntry, displayPath, toGitPath } from "./path-rules.ts";
import type { TreeEntry } from "./tree.ts";

const check = (name: string, mode: TreeEntry["mode"] = "100644") =>
  checkTreeEntry({ name: toGitPath(name), mode, oid: EMPTY_TREE });
const AS_GIT = "has a name that a file system may read as .git";

describe("a tree entry", () => {
  it.each([
    ["", "has an empty name"],
    [".", 'has the name "." or ".."'],
    ["..", 'has the name "." or ".."'],
    ["a/b", "has a slash or a NUL in its name"],
    ["a\0", "has a slash or a NUL in its name"],
    ["x".repeat(4097), "has a name longer than 4096 bytes"],
  ])("named %.10j is refused", (name, reason) => {
    expect(check(name)).toBe(reason);
  });

  it.each([
    ".git",
    ".GIT",
    ".gIt",
    ".git.",
    ".git ",
    ".git . .",
    ".git::$INDEX_ALLOCATION",
    ".git:stream",
    "git~1",
    "GIT~1",
    "git~1.",
    "git~1:x",
    "a\\.git",
    "a\\git~1",
    ".git\\config",
    "\\.git",
    "a\\.git\\hooks",
    ".g\u200cit",
    "\u200e.git",
    ".git\u200f",
    ".gi\u202et",
    "\ufeff.git",
    ".g\u206ai\u206ft",
  ])("named %j is refused as a disguise of .git", (name) => {
    expect(check(name)).toBe(AS_GIT);
    expect(check(name, "40000")).toBe(AS_GIT);
  });

  it("named .git followed by bytes that are not UTF-8 is refused, as HFS+ would cut them off", () => {
    expect(checkTreeEntry({ name: ".git\xff", mode: "100644", oid: EMPTY_TREE })).toBe(AS_GIT);
  });

  it.each([
    ".gitignore",
    ".github",
    ".gitattributes",
    ".gitmodules",
    ".gitt",
    "git",
    "git~2",
    "git~10",
    "gitx",
    ".git~1",
    "a.git",
    "...",
    ".. .",
    " ",
    "a ",
    "a.",
    "CON",
    "a\\b",
    "a:b",
    ".g\u00efit",
    "\u200c",
    "\u{1f600}",
    "x".repeat(255),
  ])("named %.20j passes", (name) => {
    expect(check(name)).toBeNull();
  });

  it("with bytes that are no text passes", () => {
    expect(checkTreeEntry({ name: "\xff\xfe\x80", mode: "100644", oid: EMPTY_TREE })).toBeNull();
  });

  it.each([
    ".gitmodules",
    ".GITMODULES",
    ".gitmodules .",
    "gitmod~1",
    "GITMOD~4",
    "gi7eba~1",
    "gi7e~123",
    "~1234567",
    "a\\.gitmodules",
    ".git\u200cmodules",
    ".gitmodules:x",
  ])("named %j is refused as a symbolic link only", (name) => {
    expect(check(name, "120000")).toBe("is a .gitmodules that is a symbolic link");
    expect(check(name)).toBeNull();
  });

  it.each([".gitattributes", ".gitmodule", "gitmod~5", "gi7eba~", "~123456"])("named %j may be a symbolic link", (name) => {
    expect(check(name, "120000")).toBeNull();
  });

  it("that points at the null object is refused", () => {
    expect(checkTreeEntry({ name: "a", mode: "100644", oid: ZERO_OID })).toBe("points at the null object");
  });
});

describe("a path", () => {
  it.each([
    ["a/b/c", null],
    ["a", null],
    ["a//b", "has an empty name"],
    ["/a", "has an empty name"],
    ["a/", "has an empty name"],
    ["a/../b", 'has the name "." or ".."'],
    ["a/.GIT/config", AS_GIT],
    ["a/".repeat(2048).concat("b"), "is longer than 4096 bytes"],
  ])("%.20j", (path, reason) => {
    expect(checkPath(path)).toBe(reason);
  });

  it.each([
    ["plain/a b.txt", "plain/a b.txt"],
    [toGitPath("ä/\u{1f600}"), "ä/\u{1f600}"],
    ["\xff/a\xe4", "\\xff/a\\xe4"],
    ["a\nb\x1b[31m", "a\\x0ab\\x1b[31m"],
    [toGitPath("exe\u202etxt.a"), "exe\\u{202e}txt.a"],
    [toGitPath("a\u2028b"), "a\\u{2028}b"],
  ])("%j is shown as %j", (path, shown) => {
    expect(displayPath(path)).toBe(shown);
  });
});
