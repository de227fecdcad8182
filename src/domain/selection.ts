// Which paths a sync touches: those that an include glob matches (all when there is none) and no exclude glob does.
import { bytesToText, decodeText } from "./byte-text.ts";
import { CoregitError } from "./errors.ts";
import { checkGlob, compileGlob } from "./glob.ts";
import type { GitPath } from "./tree.ts";

export type Selection = {
  /** Nothing is filtered. */
  readonly isAll: boolean;
  /** Whether this path, relative to the synced folder, is selected. Names that are not UTF-8 match with U+FFFD where they are not. */
  has(path: GitPath): boolean;
};

export const EVERYTHING: Selection = { isAll: true, has: () => true };

/** Matching is done once per path and glob; more globs than this belong into a folder layout. */
const MAX_GLOBS = 100;

type Globs = { readonly include: readonly string[]; readonly exclude: readonly string[] };

/** @throws CoregitError `InvalidSpec` with `details.field` (`include[2]`) for a glob that cannot be used. */
export function compileSelection(globs: Globs): Selection {
  if (globs.include.length === 0 && globs.exclude.length === 0) return EVERYTHING;
  const include = compileList("include", globs.include);
  const exclude = compileList("exclude", globs.exclude);
  const has = (path: GitPath) => {
    const text = bytesToText(path) ?? decodeText(Buffer.from(path, "latin1"));
    return (include.length === 0 || include.some((glob) => glob(text))) && !exclude.some((glob) => glob(text));
  };
  return { isAll: false, has };
}

function compileList(field: "include" | "exclude", globs: readonly string[]) {
  if (globs.length > MAX_GLOBS) throw invalid(field, `${field} has more than ${MAX_GLOBS} globs.`);
  return globs.map((glob, index) => {
    const reason = checkGlob(glob);
    if (reason !== null)
      throw invalid(`${field}[${index}]`, `The glob ${JSON.stringify(glob.slice(0, 80))} in ${field}[${index}] ${reason}.`);
    return compileGlob(glob);
  });
}

function invalid(field: string, message: string): CoregitError {
  return new CoregitError("InvalidSpec", message, { details: { field } });
}
