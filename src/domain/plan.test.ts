import { describe, expect, it } from "vitest";
import type { Files } from "../../test/support/memory-trees.ts";
import { type PlanCase, type PlanSummary, planFiles } from "../../test/support/plan-files.ts";
import type { DivergencePolicy } from "./sync-spec.ts";

const base = { a: "1", b: "1", c: "1" };
const synced = { source: base, target: base };

describe("the policy table", () => {
  const nothing: PlanSummary = { files: base, counts: "+0 ~0 -0" };
  const applied: PlanSummary = { files: { a: "2", c: "1", d: "1" }, counts: "+1 ~1 -1" };
  const source = { a: "2", c: "1", d: "1" };

  it.each<[string, PlanCase, Record<DivergencePolicy, PlanSummary>]>([
    ["nothing changed", { source: base, target: base, syncPoint: synced }, { Merge: nothing, Overwrite: nothing, Fail: nothing }],
    ["target not diverged", { source, target: base, syncPoint: synced }, { Merge: applied, Overwrite: applied, Fail: applied }],
    [
      "target diverged at other paths",
      { source, target: { ...base, c: "mine", e: "mine" }, syncPoint: synced },
      {
        Merge: { files: { ...source, c: "mine", e: "mine" }, counts: "+1 ~1 -1" },
        Overwrite: { files: source, counts: "+1 ~2 -2" },
        Fail: { code: "Diverged", paths: ["c", "e"] },
      },
    ],
    [
      "target diverged at the same path",
      { source, target: { ...base, a: "mine", b: "mine" }, syncPoint: synced },
      {
        Merge: { code: "Conflict", paths: ["a", "b"] },
        Overwrite: { files: source, counts: "+1 ~1 -1" },
        Fail: { code: "Diverged", paths: ["a", "b"] },
      },
    ],
    [
      "target made one of the same changes itself",
      { source, target: { ...base, a: "2" }, syncPoint: synced },
      {
        Merge: { files: source, counts: "+1 ~0 -1" },
        Overwrite: { files: source, counts: "+1 ~0 -1" },
        Fail: { code: "Diverged", paths: ["a"] },
      },
    ],
    [
      "target made all the same changes itself",
      { source, target: source, syncPoint: synced },
      {
        Merge: { files: source, counts: "+0 ~0 -0" },
        Overwrite: { files: source, counts: "+0 ~0 -0" },
        Fail: { files: source, counts: "+0 ~0 -0" },
      },
    ],
    [
      "no sync point, no target",
      { source: base, target: null },
      {
        Merge: { files: base, counts: "+3 ~0 -0" },
        Overwrite: { files: base, counts: "+3 ~0 -0" },
        Fail: { files: base, counts: "+3 ~0 -0" },
      },
    ],
    ["no sync point, target is the same", { source: base, target: base }, { Merge: nothing, Overwrite: nothing, Fail: nothing }],
    [
      "no sync point, target has other files and equal ones",
      { source: base, target: { a: "1", x: "mine" } },
      {
        Merge: { files: { ...base, x: "mine" }, counts: "+2 ~0 -0" },
        Overwrite: { files: base, counts: "+2 ~0 -1" },
        Fail: { code: "Diverged", paths: ["a", "x"] },
      },
    ],
    [
      "no sync point, target has a path with other content",
      { source: base, target: { a: "mine" } },
      {
        Merge: { code: "Conflict", paths: ["a"] },
        Overwrite: { files: base, counts: "+2 ~1 -0" },
        Fail: { code: "Diverged", paths: ["a"] },
      },
    ],
    [
      "both deleted the same file",
      { source: { a: "1", c: "1" }, target: { a: "1", c: "1", x: "mine" }, syncPoint: synced },
      {
        Merge: { files: { a: "1", c: "1", x: "mine" }, counts: "+0 ~0 -0" },
        Overwrite: { files: { a: "1", c: "1" }, counts: "+0 ~0 -1" },
        Fail: { code: "Diverged", paths: ["b", "x"] },
      },
    ],
    [
      "target deleted what the source changed",
      { source: { ...base, a: "2" }, target: { b: "1", c: "1" }, syncPoint: synced },
      {
        Merge: { code: "Conflict", paths: ["a"] },
        Overwrite: { files: { ...base, a: "2" }, counts: "+1 ~0 -0" },
        Fail: { code: "Diverged", paths: ["a"] },
      },
    ],
    [
      "no commit on either side",
      { source: null, target: null },
      {
        Merge: { files: {}, counts: "+0 ~0 -0" },
        Overwrite: { files: {}, counts: "+0 ~0 -0" },
        Fail: { files: {}, counts: "+0 ~0 -0" },
      },
    ],
  ])("%s", async (_, given, expected) => {
    for (const policy of ["Merge", "Overwrite", "Fail"] as const) {
      expect({ policy, ...(await planFiles({ ...given, policy })).summary }).toEqual({ policy, ...expected[policy] });
    }
  });

  it("keeps what an earlier merge left on the target and does not count it as divergence", async () => {
    const target = { ...base, x: "mine" };
    const { summary } = await planFiles({
      source: { ...base, a: "2" },
      target,
      syncPoint: { source: base, target },
      policy: "Fail",
    });
    expect(summary).toEqual({ files: { ...target, a: "2" }, counts: "+0 ~1 -0" });
  });
});

describe("files and folders of one name", () => {
  it.each<[string, Files, Files, Files, Record<"Merge" | "Overwrite", PlanSummary>]>([
    [
      "a file becomes a folder",
      { a: "1" },
      { "a/b": "1" },
      { a: "1", z: "mine" },
      {
        Merge: { files: { "a/b": "1", z: "mine" }, counts: "+1 ~0 -1" },
        Overwrite: { files: { "a/b": "1" }, counts: "+1 ~0 -2" },
      },
    ],
    [
      "a folder becomes a file",
      { "a/b": "1" },
      { a: "1" },
      { "a/b": "1" },
      { Merge: { files: { a: "1" }, counts: "+1 ~0 -1" }, Overwrite: { files: { a: "1" }, counts: "+1 ~0 -1" } },
    ],
    [
      "a folder becomes a file where the target has added one of its own",
      { "a/b": "1" },
      { a: "1" },
      { "a/b": "1", "a/mine": "1" },
      { Merge: { code: "Conflict", paths: ["a"] }, Overwrite: { files: { a: "1" }, counts: "+1 ~0 -2" } },
    ],
    [
      "a folder becomes a file where the target has changed one",
      { "a/b": "1" },
      { a: "1" },
      { "a/b": "mine" },
      { Merge: { code: "Conflict", paths: ["a/b"] }, Overwrite: { files: { a: "1" }, counts: "+1 ~0 -1" } },
    ],
    [
      "a new folder where the target has a file of its own",
      { x: "1" },
      { x: "1", "a/b": "1" },
      { x: "1", a: "mine" },
      { Merge: { code: "Conflict", paths: ["a"] }, Overwrite: { files: { x: "1", "a/b": "1" }, counts: "+1 ~0 -1" } },
    ],
    [
      "modes, links and submodule links change",
      { a: "1", b: "link:1", c: "module:1" },
      { a: "exec:1", b: "2", c: "module:2" },
      { a: "1", b: "link:1", c: "module:1" },
      {
        Merge: { files: { a: "exec:1", b: "2", c: "module:2" }, counts: "+0 ~3 -0" },
        Overwrite: { files: { a: "exec:1", b: "2", c: "module:2" }, counts: "+0 ~3 -0" },
      },
    ],
  ])("%s", async (_, before, source, target, expected) => {
    for (const policy of ["Merge", "Overwrite"] as const) {
      const { summary } = await planFiles({ source, target, syncPoint: { source: before, target: before }, policy });
      expect({ policy, ...summary }).toEqual({ policy, ...expected[policy] });
    }
  });

  it("never replace a path that is not selected, not even by Overwrite", async () => {
    const { summary } = await planFiles({
      source: { a: "1" },
      target: { "a/b.txt": "mine" },
      exclude: ["**/*.txt"],
      policy: "Overwrite",
    });
    expect(summary).toEqual({ code: "Conflict", paths: ["a"] });
  });
});
