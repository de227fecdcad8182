import { describe, expect, it } from "vitest";
import { toGitPath } from "./path-rules.ts";
import { compileSelection } from "./selection.ts";

const selected = (globs: { include?: string[]; exclude?: string[] }, paths: readonly string[]) => {
  const selection = compileSelection({ include: globs.include ?? [], exclude: globs.exclude ?? [] });
  return paths.filter((path) => selection.has(path));
};

describe("a selection", () => {
  it("without globs is everything", () => {
    expect(compileSelection({ include: [], exclude: [] }).isAll).toBe(true);
    expect(compileSelection({ include: ["**"], exclude: [] }).isAll).toBe(false);
  });

  it("is what any include matches and no exclude does", () => {
    const paths = ["a.md", "docs/b.md", "docs/c.ts", ".github/x.md", "docs/private/d.md"];
    expect(selected({ include: ["**/*.md", "docs"], exclude: ["docs/private/"] }, paths)).toEqual([
      "a.md",
      "docs/b.md",
      "docs/c.ts",
      ".github/x.md",
    ]);
    expect(selected({ exclude: ["*.md"] }, paths)).toEqual(["docs/b.md", "docs/c.ts", ".github/x.md", "docs/private/d.md"]);
  });

  it("matches names as the text that their bytes are", () => {
    const paths = [toGitPath("ä.md"), toGitPath("\u{1f600}.md"), "a.md"];
    expect(selected({ include: ["?.md"] }, paths)).toEqual(paths);
    expect(selected({ include: ["[ä].md"] }, paths)).toEqual([toGitPath("ä.md")]);
  });

  it("matches names that are no text, with line breaks or control characters by what they have around them", () => {
    const paths = ["a\xff.md", "\xff\xfe/x.md", "a\nb.md", "\x01.md"];
    expect(selected({ include: ["**/*.md"] }, paths)).toEqual(paths);
    expect(selected({ exclude: ["**/*.md"] }, paths)).toEqual([]);
  });

  it.each([
    [
      { include: ["ok", "/abs"] },
      "include[1]",
      'The glob "/abs" in include[1] begins with a slash; globs are relative to the synced folder.',
    ],
    [{ exclude: [""] }, "exclude[0]", 'The glob "" in exclude[0] is empty.'],
    [{ exclude: Array.from({ length: 101 }, () => "a") }, "exclude", "exclude has more than 100 globs."],
  ])("with a glob that cannot be used names its field", (globs, field, message) => {
    expect(() => selected(globs, [])).toThrow(expect.objectContaining({ code: "InvalidSpec", message, details: { field } }));
  });
});
