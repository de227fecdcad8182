import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { readManifestSet } from "./manifest-set.ts";

const example = new URL("../../examples/quickstart/", import.meta.url);

test("the quickstart's manifest is valid, and has one line to replace", async () => {
  const text = await readFile(new URL("reposync.yaml", example), "utf8");
  const { declared, problems } = readManifestSet([{ path: "reposync.yaml", text, error: null }]);
  expect(problems).toEqual([]);
  expect([...declared.keys()]).toEqual(["RepoSync/default/quickstart"]);
  expect(text.match(/^ {2}remote: .*$/gm)).toHaveLength(1);
});

test("every YAML block of the quickstart's README that is whole is valid", async () => {
  const text = await readFile(new URL("README.md", example), "utf8");
  const blocks = [...text.matchAll(/```yaml\n(.*?)```/gs)]
    .map(([, block = ""]) => block)
    .filter((block) => block.includes("kind:"));
  const { declared, problems } = readManifestSet([{ path: "README.md", text: blocks.join("---\n"), error: null }]);
  expect(problems).toEqual([]);
  expect(declared.size).toBe(2);
});
