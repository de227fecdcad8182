import { describe, expect, it } from "vitest";
import { checkWrittenPath } from "./written-path.ts";

const AS_GIT = "has a name that a file system may read as .git";
const DOTS = 'has the name "." or ".."';

describe("a path that a caller writes", () => {
  it.each([
    ["", "is empty"],
    ["a\ud800", "is not valid Unicode"],
    ["a\0b", "has a control character"],
    ["a\nb", "has a control character"],
    ["a\u007f", "has a control character"],
    ["a\u0085", "has a control character"],
    ["/etc/passwd", "has an empty name"],
    ["a//b", "has an empty name"],
    ["a/", "has an empty name"],
    ["..", DOTS],
    ["a/../b", DOTS],
    ["a/./b", DOTS],
    ["..\\b", DOTS],
    ["a\\..\\b", DOTS],
    ["%2e%2e/b", DOTS],
    ["a/%2E%2e%2fb", DOTS],
    ["a%5c..%5cb", DOTS],
    [".git/config", AS_GIT],
    ["a/.GIT", AS_GIT],
    ["a/git~1/x", AS_GIT],
    ["a/.git::$INDEX_ALLOCATION/x", AS_GIT],
    [".g\u200cit/x", AS_GIT],
    ["a\\.git\\config", AS_GIT],
    ["%2egit/config", AS_GIT],
    ["a/%2EGIT", AS_GIT],
    ["x".repeat(4097), "is longer than 4096 bytes"],
    ["ä".repeat(2049), "is longer than 4096 bytes"],
  ])("%.30j is refused", (path, reason) => {
    expect(checkWrittenPath(path)).toBe(reason);
  });

  it.each([
    "a",
    ".gitignore",
    ".github/workflows/a.yml",
    "a/b c/ä/\u{1f600}.txt",
    "100%",
    "%zz",
    "a%20b",
    "dev-x\\x2dy.swap",
    "...",
    "x".repeat(4096),
  ])("%.30j passes", (path) => {
    expect(checkWrittenPath(path)).toBeNull();
  });
});
