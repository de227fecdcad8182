// Rules of the house that a machine can check and the linter does not.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { listFiles, ROOT, readSources } from "./source-files.ts";

const MAX_LINES = 300;
const VAGUE_NAMES = /\/(utils?|helpers?|common|types|misc)\.ts$/;
const VAGUE_WORDS = /\b(?:class|interface|type)\s+\w*(?:Manager|Service|Impl)\b/;

const sources = readSources({ tests: false });
const documents = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", ...listFiles("docs", ".md")];

const paths = (predicate: (source: (typeof sources)[number]) => boolean): string[] =>
  sources.filter(predicate).map(({ path }) => path);

describe("house rules", () => {
  test(`no source file is longer than ${MAX_LINES} lines`, () => {
    expect(paths(({ text }) => text.split("\n").length > MAX_LINES + 1)).toEqual([]);
  });

  test("no file and no name is vague", () => {
    expect(paths(({ path, text }) => VAGUE_NAMES.test(path) || VAGUE_WORDS.test(text))).toEqual([]);
  });

  test("only src/config/env.ts reads the environment", () => {
    expect(paths(({ path, text }) => path !== "src/config/env.ts" && /\bprocess\.env\b/.test(text))).toEqual([]);
  });

  test("nothing is thrown as a bare Error across a folder's border without a code", () => {
    expect(paths(({ text }) => /\bthrow new Error\(/.test(text))).toEqual([]);
  });

  test("no module holds mutable state", () => {
    expect(paths(({ text }) => /^(?:export )?let /m.test(text))).toEqual([]);
  });

  test("every path of the project that a document names exists", () => {
    const missing = documents.flatMap((document) => {
      const text = readFileSync(join(ROOT, document), "utf8");
      const named = [...text.matchAll(/`((?:src|test|crds|charts|docs|examples|scripts|bench)\/[\w./-]*)`/g)].map(
        (match) => match[1] ?? "",
      );
      return named.filter((path) => !existsSync(join(ROOT, path))).map((path) => `${document}: ${path}`);
    });
    expect(missing).toEqual([]);
  });
});
