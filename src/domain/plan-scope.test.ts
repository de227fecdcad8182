// What a plan may reach and how much it may delete.
import { describe, expect, it } from "vitest";
import { MemoryTrees } from "../../test/support/memory-trees.ts";
import { type PlanCase, planFiles } from "../../test/support/plan-files.ts";
import { EMPTY_TREE } from "./oid.ts";
import type { PlanInput } from "./plan.ts";

const base = { a: "1", b: "1", c: "1" };
const synced = { source: base, target: base };

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
    const given: PlanCase = {
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
  it.each<[string, PlanCase]>([
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
  const given: PlanCase = { source: eight, target: ten, syncPoint: { source: ten, target: ten } };

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

  it.each<[string, PlanCase, string]>([
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
  it.each<[string, PlanCase, boolean]>([
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
