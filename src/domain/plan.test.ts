import { describe, expect, it } from "vitest";
import { type Files, MemoryTrees } from "../../test/support/memory-trees.ts";
import { EMPTY_TREE } from "./oid.ts";
import { type PlanInput, type PlanResult, plan } from "./plan.ts";
import { compileSelection } from "./selection.ts";
import type { DivergencePolicy } from "./sync-spec.ts";

type Case = {
  readonly source: Files | null;
  readonly target: Files | null;
  readonly syncPoint?: { readonly source: Files; readonly target: Files };
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
} & Partial<Pick<PlanInput, "policy" | "sourcePath" | "targetPath" | "maxDeletions">>;

/** What a plan comes to: the target's files after it, or why it stopped. */
type Summary = { readonly files: Files; readonly counts: string } | { readonly code: string; readonly paths: readonly string[] };

async function planFiles(given: Case): Promise<{ readonly result: PlanResult; readonly summary: Summary }> {
  const trees = new MemoryTrees();
  const make = (files: Files | null) => (files === null ? null : trees.make(files));
  const syncPoint = given.syncPoint && {
    source: await trees.make(given.syncPoint.source),
    target: await trees.make(given.syncPoint.target),
  };
  const result = await plan(trees.read, {
    source: await make(given.source),
    target: await make(given.target),
    syncPoint: syncPoint ?? null,
    policy: given.policy ?? "Merge",
    selection: compileSelection({ include: given.include ?? [], exclude: given.exclude ?? [] }),
    sourcePath: given.sourcePath ?? "",
    targetPath: given.targetPath ?? "",
    maxDeletions: given.maxDeletions ?? null,
  });
  if (result.kind === "stopped") return { result, summary: { code: result.code, paths: result.paths } };
  trees.add(result.newTrees);
  const counts = `+${result.added} ~${result.modified} -${result.deleted}`;
  return { result, summary: { files: await trees.list(result.tree), counts } };
}

const base = { a: "1", b: "1", c: "1" };
const synced = { source: base, target: base };

describe("the policy table", () => {
  const nothing: Summary = { files: base, counts: "+0 ~0 -0" };
  const applied: Summary = { files: { a: "2", c: "1", d: "1" }, counts: "+1 ~1 -1" };
  const source = { a: "2", c: "1", d: "1" };

  it.each<[string, Case, Record<DivergencePolicy, Summary>]>([
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
  it.each<[string, Files, Files, Files, Record<"Merge" | "Overwrite", Summary>]>([
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

describe("what is selected", () => {
  it("alone is read, changed and deleted", async () => {
    const { summary } = await planFiles({
      source: { "a.md": "2", "new.md": "1", "x.ts": "2" },
      target: { "a.md": "1", "old.md": "1", "y.ts": "mine" },
      include: ["*.md"],
      policy: "Overwrite",
    });
    expect(summary).toEqual({ files: { "a.md": "2", "new.md": "1", "y.ts": "mine" }, counts: "+1 ~1 -1" });
  });

  it("alone counts for Fail", async () => {
    const given: Case = {
      source: { "a.md": "2" },
      target: { "a.md": "1", "x.ts": "mine" },
      syncPoint: { source: { "a.md": "1" }, target: { "a.md": "1" } },
    };
    expect((await planFiles({ ...given, policy: "Fail", include: ["*.md"] })).summary).toEqual({
      files: { "a.md": "2", "x.ts": "mine" },
      counts: "+0 ~1 -0",
    });
    expect((await planFiles({ ...given, policy: "Fail" })).summary).toEqual({ code: "Diverged", paths: ["x.ts"] });
  });

  it("is matched below the synced folder, and folders map onto each other", async () => {
    const { summary } = await planFiles({
      source: { "docs/a/x.md": "1", "docs/skip/y.md": "1", other: "1" },
      target: { "site/content/old.md": "1", "site/keep": "mine" },
      sourcePath: "docs",
      targetPath: "site/content",
      exclude: ["skip/"],
      policy: "Overwrite",
    });
    expect(summary).toEqual({ files: { "site/content/a/x.md": "1", "site/keep": "mine" }, counts: "+1 ~0 -1" });
  });

  it("may lie in a folder whose name is not ASCII, given as text", async () => {
    const { summary } = await planFiles({ source: { "\xc3\xbc/a": "1" }, target: null, sourcePath: "ü", targetPath: "é" });
    expect(summary).toEqual({ files: { "\xc3\xa9/a": "1" }, counts: "+1 ~0 -0" });
  });
});

describe("a synced folder", () => {
  it.each<[string, Case]>([
    ["is not in the source", { source: { a: "1" }, target: null, sourcePath: "docs" }],
    ["is a file in the source", { source: { docs: "1" }, target: null, sourcePath: "docs" }],
    ["is a file in the target", { source: { a: "1" }, target: { docs: "1" }, targetPath: "docs" }],
    ["lies below a file in the target", { source: { a: "1" }, target: { docs: "1" }, targetPath: "docs/x" }],
    [
      "went away in the source",
      {
        source: { a: "1" },
        target: { b: "1" },
        syncPoint: { source: { "docs/b": "1" }, target: { b: "1" } },
        sourcePath: "docs",
      },
    ],
    [
      "was never there, whatever may be deleted",
      { source: { a: "1" }, target: { b: "1" }, sourcePath: "docs", policy: "Overwrite", maxDeletions: { percent: 100 } },
    ],
  ])("that %s stops the run with PathMissing", async (_, given) => {
    await expect(planFiles(given)).rejects.toMatchObject({ code: "PathMissing" });
  });

  it("that went away empties the target when everything may be deleted", async () => {
    const { summary } = await planFiles({
      source: { a: "1" },
      target: { b: "1", "x.ts": "1" },
      syncPoint: { source: { "docs/b": "1" }, target: { b: "1", "x.ts": "1" } },
      sourcePath: "docs",
      maxDeletions: { percent: 100 },
    });
    expect(summary).toEqual({ files: { "x.ts": "1" }, counts: "+0 ~0 -1" });
  });
});

describe("deletions", () => {
  const ten = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`f${index}`, String(index)]));
  const { f0: _f0, f1: _f1, ...eight } = ten;
  const given: Case = { source: eight, target: ten, syncPoint: { source: ten, target: ten } };

  it.each<[string, NonNullable<PlanInput["maxDeletions"]>, string]>([
    ["as many as the number", { count: 2 }, "changes"],
    ["more than the number", { count: 1 }, "TooManyDeletions"],
    ["as many as the percentage", { percent: 20 }, "changes"],
    ["more than the percentage", { percent: 19 }, "TooManyDeletions"],
    ["any number at 100 %", { percent: 100 }, "changes"],
  ])("%s", async (_, maxDeletions, outcome) => {
    const { result } = await planFiles({ ...given, maxDeletions });
    expect(result.kind === "stopped" ? result.code : result.kind).toBe(outcome);
  });

  it("count the selected part of the target only", async () => {
    const target = { ...ten, ...Object.fromEntries(Array.from({ length: 90 }, (_, index) => [`x${index}.ts`, "1"])) };
    const { result } = await planFiles({
      source: eight,
      target,
      syncPoint: { source: ten, target },
      exclude: ["*.ts"],
      maxDeletions: { percent: 10 },
    });
    expect(result).toMatchObject({
      code: "TooManyDeletions",
      message: "The run would delete 2 files where 1 (maxDeletions 10%) may go: f0, f1.",
    });
  });

  it.each<[string, Case, string]>([
    ["an upstream without files", { source: {}, target: base, syncPoint: synced }, "EmptyUpstream"],
    ["an upstream without a commit", { source: null, target: base, syncPoint: synced }, "EmptyUpstream"],
    [
      "an upstream without selected files",
      { source: { "x.ts": "1" }, target: base, syncPoint: synced, exclude: ["*.ts"] },
      "EmptyUpstream",
    ],
    [
      "a large number does not allow it",
      { source: {}, target: base, syncPoint: synced, maxDeletions: { count: 1000 } },
      "EmptyUpstream",
    ],
    ["100 % does", { source: {}, target: base, syncPoint: synced, maxDeletions: { percent: 100 } }, "changes"],
    ["Overwrite onto a target that no sync wrote", { source: {}, target: base, policy: "Overwrite" }, "EmptyUpstream"],
    ["an empty upstream that deletes nothing", { source: {}, target: { x: "mine" } }, "changes"],
  ])("of everything: %s", async (_, given, outcome) => {
    const { result } = await planFiles(given);
    expect(result.kind === "stopped" ? result.code : result.kind).toBe(outcome);
  });
});

describe("a plan that stops", () => {
  it("names at most twenty paths in its sentence, as people read them", async () => {
    const names = Array.from({ length: 25 }, (_, index) => `\xc3\xa9${String(index).padStart(2, "0")}`);
    const side = (text: string) => Object.fromEntries(names.map((name) => [name, text]));
    const { result } = await planFiles({ source: side("1"), target: side("2"), targetPath: "" });
    const shown = names.slice(0, 20).map((_, index) => `é${String(index).padStart(2, "0")}`);
    expect(result).toMatchObject({
      code: "Conflict",
      message: `Both sides have different content at: ${shown.join(", ")} and 5 more.`,
    });
    expect(result.kind === "stopped" && result.paths.length).toBe(25);
  });
});

describe("a clean plan", () => {
  it.each<[string, Case, boolean]>([
    ["a first import", { source: base, target: null }, true],
    ["an import after an import", { source: { a: "2" }, target: base, syncPoint: synced }, true],
    ["Overwrite", { source: { a: "2" }, target: { x: "mine" }, policy: "Overwrite" }, true],
    ["equal trees", { source: base, target: base }, true],
    [
      "a target with something of its own",
      { source: { ...base, a: "2" }, target: { ...base, x: "mine" }, syncPoint: synced },
      false,
    ],
    ["a filtered sync", { source: base, target: null, exclude: ["z"] }, false],
    ["a folder", { source: { "a/b": "1" }, target: null, sourcePath: "a" }, false],
  ])("%s", async (_, given, isClean) => {
    const trees = new MemoryTrees();
    const { result } = await planFiles(given);
    expect(result).toMatchObject({ kind: "changes", isClean });
    if (isClean && result.kind === "changes")
      expect(result.tree).toBe(given.source ? await trees.make(given.source) : EMPTY_TREE);
  });
});
