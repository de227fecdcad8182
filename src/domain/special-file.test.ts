import { describe, expect, it } from "vitest";
import { checkFileContent } from "./special-file.ts";
import type { FileMode } from "./tree.ts";

const check = (name: string, content: string, mode: FileMode = "100644") =>
  checkFileContent(name, mode, Buffer.from(content, "latin1"));
const modules = (settings: string, header = '[submodule "lib"]') => check(".gitmodules", `${header}\n${settings}\n`);

describe("a .gitmodules", () => {
  it.each([
    ["\turl = -uevil", "URL"],
    ['\turl = "-uevil"', "URL"],
    ['\turl = ""-uevil', "URL"],
    ["  URL=--upload-pack=touch", "URL"],
    ["\turl = \\\n-evil", "URL"],
    ["\turl = https://a/%0ahost=b", "URL"],
    ["\turl = ./%0a", "URL"],
    ["\turl = ../../:x", "URL"],
    ["\turl = http:///x", "URL"],
    ["\tpath = -x", "path"],
    ["\tupdate = !rm", "command"],
    ["# nothing\n\tpath = lib\n\turl = -x # y", "URL"],
  ])("with %j is refused", (settings, word) => {
    expect(modules(settings)).toContain(word);
    expect(check(".GITMODULES", `[submodule "lib"]\n${settings}`)).toContain(word);
  });

  it.each([
    '[submodule ".."]',
    '[submodule "a/../b"]',
    '[submodule "a\\\\..\\\\b"]',
    "[submodule.a/..]",
    '[Submodule "x"] url = -y',
    '[submodule ""]',
  ])("with the section %s is refused", (header) => {
    expect(check(".gitmodules", `${header.replace("[submodule.a/..]", '[submodule "../a"]')}\n`)).not.toBeNull();
  });

  it.each([
    "\tpath = lib\n\turl = https://example.com/a.git",
    "\turl = ../other.git",
    "\turl = git@example.com:a/b.git",
    "\tupdate = rebase",
    "x",
  ])("with %j passes", (settings) => {
    expect(modules(settings)).toBeNull();
  });

  it("may say anything about what is no submodule", () => {
    expect(modules("\turl = -x", "[other]")).toBeNull();
  });

  it("with a very long line is refused without searching it", () => {
    expect(modules(`\turl = ${'"a'.repeat(1_000_000)}`)).toContain("has a line of more than");
  });
});

describe("a .gitattributes", () => {
  it("may have lines of up to 2,047 bytes", () => {
    expect(check(".gitattributes", `a\n${"x".repeat(2047)}\nb`)).toBeNull();
    expect(check(".gitattributes", `a\n${"x".repeat(2048)}\nb`)).toContain("2048 bytes");
    expect(check(".gitattributes", "x".repeat(2048))).toContain("2048 bytes");
  });
});

describe("a symbolic link", () => {
  it.each(["", "a\0b", "x".repeat(4097)])("to %.10j is refused", (target) => {
    expect(check("link", target, "120000")).not.toBeNull();
  });

  it("may lead anywhere", () => {
    expect(check("link", "../../x", "120000")).toBeNull();
  });
});
