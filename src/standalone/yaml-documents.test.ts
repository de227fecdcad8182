import { describe, expect, test } from "vitest";
import { parseYamlDocuments } from "./yaml-documents.ts";

const values = (text: string) => parseYamlDocuments(text).documents.map(({ line, value }) => ({ line, value }));

describe("YAML documents", () => {
  test("come in order with the line where each begins; comments and empty documents do not count", () => {
    const text = "# only a comment\n---\na: 1\n---\n# nothing here\n---\n\nb: 2\n...\n";
    expect(values(text)).toEqual([
      { line: 3, value: { a: 1 } },
      { line: 8, value: { b: 2 } },
    ]);
  });

  test("tell the line of a field, of a list's item, and of the nearest thing around one that is missing", () => {
    const [document] = parseYamlDocuments("kind: X\nspec:\n  remote: r\n  include:\n    - a\n    - b\n").documents;
    expect(document?.lineOf(["spec", "remote"])).toBe(3);
    expect(document?.lineOf(["spec", "include", 1])).toBe(6);
    expect(document?.lineOf(["spec", "missing", "deeper"])).toBe(2);
    expect(document?.lineOf(["nothing"])).toBe(1);
    expect(document?.lineOf([])).toBe(1);
  });

  test("one with a syntax error is reported with its line and does not hide the others", () => {
    const { documents, problems } = parseYamlDocuments("a: 1\n---\nb: [1\nc: 2\n---\nd: 3\n");
    expect(documents.map(({ value }) => value)).toEqual([{ a: 1 }, { d: 3 }]);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.line).toBeGreaterThanOrEqual(3);
  });

  test("a key given twice is an error", () => {
    expect(parseYamlDocuments("a: 1\na: 2\n").problems).toEqual([{ line: 2, message: expect.stringMatching(/unique/i) }]);
  });

  test("a document that unpacks into far more than it is, is refused", () => {
    const rows = Array.from({ length: 8 }, (_, i) => `k${i + 1}: &k${i + 1} [${Array(10).fill(`*k${i}`).join(", ")}]`);
    const { documents, problems } = parseYamlDocuments(`k0: &k0 x\n${rows.join("\n")}\n`);
    expect(documents).toEqual([]);
    expect(problems).toHaveLength(1);
  });

  test("Windows line ends count as one line", () => {
    const [document] = parseYamlDocuments("a: 1\r\nb:\r\n  c: 2\r\n").documents;
    expect(document?.lineOf(["b", "c"])).toBe(3);
  });
});
