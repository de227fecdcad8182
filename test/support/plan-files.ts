// Plans over plain lists of files, and what they come to.
import { type PlanInput, type PlanResult, plan } from "../../src/domain/plan.ts";
import { compileSelection } from "../../src/domain/selection.ts";
import { type Files, MemoryTrees } from "./memory-trees.ts";

export type PlanCase = {
  readonly source: Files | null;
  readonly target: Files | null;
  readonly syncPoint?: { readonly source: Files; readonly target: Files };
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
} & Partial<Pick<PlanInput, "policy" | "sourcePath" | "targetPath" | "maxDeletions">>;

/** What a plan comes to: the target's files after it, or why it stopped. */
export type PlanSummary =
  | { readonly files: Files; readonly counts: string }
  | { readonly code: string; readonly paths: readonly string[] };

export async function planFiles(given: PlanCase): Promise<{ readonly result: PlanResult; readonly summary: PlanSummary }> {
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
