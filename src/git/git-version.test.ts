import { describe, expect, test } from "vitest";
import { readGitVersion } from "./git-version.ts";

describe("git", () => {
  test.each([
    ["git version 2.37.0\n", "2.37.0"],
    ["git version 2.47.3\n", "2.47.3"],
    ["git version 2.39.5 (Apple Git-154)\n", "2.39.5"],
    ["git version 2.50.1.windows.1\n", "2.50.1.windows.1"],
    ["git version 3.0.0-rc1\n", "3.0.0-rc1"],
  ])("is new enough from 2.37 on, whatever a distribution adds: %j", (text, version) => {
    expect(readGitVersion(text)).toBe(version);
  });

  test.each(["git version 2.36.6\n", "git version 1.99.0\n", "hub version 3.1\n", ""])("is refused when it says %j", (text) => {
    expect(() => readGitVersion(text)).toThrow("is too old: 2.37 or newer is needed.");
  });
});
