// Which branches are protected: by name, or by a glob such as `release/*`. A protected branch is never deleted and only moves
// forward. `*` stays within a component of the name and `**` does not; every other character means itself.
import { compileGlob } from "./glob.ts";

/** How many patterns a repository may have; each is matched against every branch that is forced or deleted. */
export const MAX_PROTECTED_BRANCHES = 50;

/** The first of `patterns` that protects the branch, or null. */
export function protectingPattern(patterns: readonly string[], branch: string): string | null {
  return patterns.find((pattern) => matches(pattern, branch)) ?? null;
}

/** What globs know beside stars, braces for example, is allowed in the names of branches. */
function matches(pattern: string, branch: string): boolean {
  if (!pattern.includes("*")) return pattern === branch;
  return compileGlob(pattern.replace(/[^*/\p{L}\p{N}]/gu, "\\$&"))(branch);
}
