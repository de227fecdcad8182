import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arbitraryFiles, type Files, MemoryTrees } from "../../test/support/memory-trees.ts";
import { type PlanInput, plan } from "./plan.ts";
import { compileSelection, EVERYTHING } from "./selection.ts";
import type { DivergencePolicy } from "./sync-spec.ts";
import { applyChanges } from "./tree-edit.ts";

type Sides = { readonly base: Files | null; readonly source: Files; readonly target: Files };

const sides: fc.Arbitrary<Sides> = fc.record({ base: fc.option(arbitraryFiles), source: arbitraryFiles, target: arbitraryFiles });
const policies = fc.constantFrom<DivergencePolicy>("Merge", "Overwrite", "Fail");
const selections = fc.constantFrom(EVERYTHING, compileSelection({ include: ["a/**", "b"], exclude: ["**/*.b"] }));
const folders = fc.constantFrom("", "sub", "deep/\u00e9");

async function planSides({ base, source, target }: Sides, rest: Partial<PlanInput>) {
  const trees = new MemoryTrees();
  const roots = { source: await trees.make(source), target: await trees.make(target) };
  const syncPoint = base === null ? null : { source: await trees.make(base), target: await trees.make(base) };
  const defaults = {
    policy: "Merge",
    selection: EVERYTHING,
    sourcePath: "",
    targetPath: "",
    maxDeletions: { percent: 100 },
  } as const;
  const result = await plan(trees.readLater, { ...defaults, ...roots, syncPoint, ...rest });
  if (result.kind === "changes") trees.add(result.newTrees);
  return { trees, roots, result };
}

describe("every plan", () => {
  it("applied to the target gives exactly the tree that it states, and states exactly what changes", async () => {
    await fc.assert(
      fc.asyncProperty(sides, policies, selections, folders, async (given, policy, selection, targetPath) => {
        const planned = await planSides(given, { policy, selection, targetPath }).catch(onlyPathMissing);
        if (planned?.result.kind !== "changes") return;
        const { trees, roots, result } = { ...planned, result: planned.result };
        const before = await trees.list(roots.target);
        const after = await trees.list(result.tree);
        expect((await applyChanges(trees.read, roots.target, result.changes)).root).toBe(result.tree);
        const changed = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
          (path) => before[path] !== after[path],
        );
        expect([...result.changes.keys()].sort()).toEqual(changed.sort());
        expect(result.added + result.modified + result.deleted).toBe(changed.length);
      }),
      { numRuns: 200 },
    );
  });

  it("never touches a path that is not selected or lies outside the target's folder", async () => {
    const selection = compileSelection({ include: ["a/**", "b"], exclude: ["**/*.b"] });
    await fc.assert(
      fc.asyncProperty(sides, policies, folders, async (given, policy, targetPath) => {
        const planned = await planSides(given, { policy, selection, targetPath }).catch(onlyPathMissing);
        if (planned?.result.kind !== "changes") return;
        const prefix = targetPath === "" ? "" : `${Buffer.from(targetPath).toString("latin1")}/`;
        for (const path of planned.result.changes.keys()) {
          expect(path.startsWith(prefix) && selection.has(path.slice(prefix.length))).toBe(true);
        }
      }),
    );
  });

  it("of equal trees is empty", async () => {
    await fc.assert(
      fc.asyncProperty(
        arbitraryFiles,
        fc.option(arbitraryFiles),
        policies,
        selections,
        async (files, base, policy, selection) => {
          const { result } = await planSides({ base, source: files, target: files }, { policy, selection });
          expect(result).toMatchObject({ kind: "changes", added: 0, modified: 0, deleted: 0 });
        },
      ),
    );
  });

  it("is empty once it was applied", async () => {
    await fc.assert(
      fc.asyncProperty(sides, policies, selections, async (given, policy, selection) => {
        const { trees, roots, result } = await planSides(given, { policy, selection });
        if (result.kind !== "changes") return;
        const input = { source: roots.source, target: result.tree, syncPoint: { source: roots.source, target: result.tree } };
        const again = await plan(trees.read, { ...input, policy, selection, sourcePath: "", targetPath: "", maxDeletions: null });
        // Overwrite has nothing left to do; Merge and Fail see no new change of the source.
        expect(again).toMatchObject({ kind: "changes", added: 0, modified: 0, deleted: 0, tree: result.tree });
      }),
    );
  });
});

describe("Merge", () => {
  it("never loses an edit that only the target made, nor an edit that only the source made", async () => {
    await fc.assert(
      fc.asyncProperty(sides, async (given) => {
        const { trees, result } = await planSides(given, { policy: "Merge" });
        if (result.kind !== "changes") return;
        const after = await trees.list(result.tree);
        for (const { path, old, mine, theirs } of threeWay(given)) {
          expect({ path, text: after[path] }).toEqual({ path, text: expectedText(old, mine, theirs) });
        }
      }),
      { numRuns: 200 },
    );
  });

  it("stops only for a real conflict", async () => {
    await fc.assert(
      fc.asyncProperty(sides, async (given) => {
        const { result } = await planSides(given, { policy: "Merge" });
        if (result.kind === "changes") return;
        expect(result.code).toBe("Conflict");
        expect(hasConflict(given)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});

describe("Overwrite", () => {
  it("always ends at the source", async () => {
    await fc.assert(
      fc.asyncProperty(sides, async (given) => {
        const { roots, result } = await planSides(given, { policy: "Overwrite" });
        expect(result).toMatchObject({ kind: "changes", tree: roots.source });
      }),
    );
  });

  it("makes the target's folder hold what the source's folder holds, and leaves the rest alone", async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryFiles, arbitraryFiles, arbitraryFiles, async (source, folder, others) => {
        const place = (files: Files, prefix: string) =>
          Object.fromEntries(Object.entries(files).map(([path, text]) => [`${prefix}/${path}`, text]));
        const target = { ...place(folder, "in"), ...place(others, "out") };
        const planned = await planSides(
          { base: null, source: place(source, "from"), target },
          { policy: "Overwrite", sourcePath: "from", targetPath: "in" },
        ).catch(onlyPathMissing);
        // git has no empty folders, so one without files is not there.
        expect(planned === undefined).toBe(Object.keys(source).length === 0);
        if (planned?.result.kind !== "changes") return;
        expect(await planned.trees.list(planned.result.tree)).toEqual({ ...place(source, "in"), ...place(others, "out") });
      }),
    );
  });
});

/** Every path of any side with what it holds at the sync point, in the target and in the source. */
function threeWay({ base, source, target }: Sides) {
  const paths = new Set([...Object.keys(base ?? {}), ...Object.keys(source), ...Object.keys(target)]);
  return Array.from(paths, (path) => ({ path, old: base?.[path], mine: target[path], theirs: source[path] }));
}

/** What a merge leaves at a path: the edit of whoever made one. Where both did it was the same, or the plan would have stopped. */
function expectedText(old: string | undefined, mine: string | undefined, theirs: string | undefined): string | undefined {
  expect(theirs === old || mine === old || mine === theirs).toBe(true);
  return theirs === old ? mine : theirs;
}

/** Whether the two sides cannot be put together: a path with two new contents, or a file of one where the other has a folder. */
function hasConflict(given: Sides): boolean {
  const paths = threeWay(given);
  const isContested = paths.some(({ old, mine, theirs }) => theirs !== old && mine !== old && theirs !== mine);
  const merged = paths.filter(({ old, mine, theirs }) => (theirs === old ? mine : theirs) !== undefined).map(({ path }) => path);
  return isContested || merged.some((path) => merged.some((other) => other.startsWith(`${path}/`)));
}

/** A folder that generated files put a file in the way of cannot be synced; anything else is a defect. */
function onlyPathMissing(error: unknown): undefined {
  expect(error).toMatchObject({ code: "PathMissing" });
  return undefined;
}
