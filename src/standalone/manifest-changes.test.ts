import { describe, expect, test } from "vitest";
import { type Applied, planManifestChanges } from "./manifest-changes.ts";
import { readManifestSet } from "./manifest-set.ts";

const doc = (kind: string, name: string, spec: string) =>
  `apiVersion: coregit.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: ${name}}\nspec: ${spec}\n---\n`;
const sync = (name: string) => doc("RepoSync", name, "{remote: a/b}");
const repository = (name: string) => doc("Repository", name, "{}");
const connection = (name: string) => doc("Connection", name, "{provider: git}");

const setOf = (files: Readonly<Record<string, string>>) =>
  readManifestSet(Object.entries(files).map(([path, text]) => ({ path, text, error: null })));

function plan(files: Readonly<Record<string, string>>, applied: Readonly<Record<string, Applied>>) {
  const { declare, withdraw } = planManifestChanges(setOf(files), new Map(Object.entries(applied)));
  return { declare: declare.map(({ key }) => key), withdraw };
}

const unknown: Applied = { fingerprint: null, file: null };
const from = (file: string): Applied => ({ fingerprint: "", file });

describe("changes of a folder of manifests", () => {
  test("are declared in the order of their references and withdrawn in the opposite one", () => {
    const files = { "a.yaml": sync("s") + connection("c") + repository("r") };
    expect(plan(files, {}).declare).toEqual(["Repository/default/r", "Connection/default/c", "RepoSync/default/s"]);
    const applied = { "Repository/default/r": unknown, "RepoSync/default/s": unknown, "Connection/default/c": unknown };
    expect(plan({}, applied).withdraw).toEqual(["RepoSync/default/s", "Connection/default/c", "Repository/default/r"]);
  });

  test("are none when everything is applied as it stands", () => {
    const set = setOf({ "a.yaml": sync("s") });
    const applied = new Map([...set.declared].map(([key, { fingerprint, file }]) => [key, { fingerprint, file }]));
    expect(planManifestChanges(set, applied)).toEqual({ declare: [], withdraw: [] });
  });

  test("include what an earlier process left and no file declares any more", () => {
    expect(plan({ "a.yaml": sync("kept") }, { "RepoSync/default/gone": unknown }).withdraw).toEqual(["RepoSync/default/gone"]);
  });

  test("withdraw nothing of unknown origin while any file is broken", () => {
    expect(plan({ "a.yaml": "a: [" }, { "RepoSync/default/gone": unknown }).withdraw).toEqual([]);
  });

  test("withdraw nothing that a now broken file declared, but what a sound or removed one did", () => {
    const applied = { "RepoSync/default/x": from("a.yaml"), "RepoSync/default/y": from("b.yaml") };
    expect(plan({ "a.yaml": "a: [" }, applied).withdraw).toEqual(["RepoSync/default/y"]);
  });

  test("keep what an invalid document is about, and withdraw its former neighbours", () => {
    const files = { "a.yaml": doc("RepoSync", "x", "{remote: 7}") };
    const applied = { "RepoSync/default/x": from("a.yaml"), "RepoSync/default/y": from("a.yaml") };
    expect(plan(files, applied)).toEqual({ declare: [], withdraw: ["RepoSync/default/y"] });
  });
});
