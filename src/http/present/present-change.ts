// Changed files as the API shows them.
import type { ChangedFile, ChangedFiles } from "../../repositories/comparisons.ts";
import { presentPath } from "../git-path.ts";

/** `truncated`: there are more files than are shown. Lines are counted in those that are shown. */
export function presentChanges({ files, total }: ChangedFiles) {
  return {
    files: files.map(presentChange),
    changed_files: total,
    additions: files.reduce((sum, file) => sum + file.additions, 0),
    deletions: files.reduce((sum, file) => sum + file.deletions, 0),
    truncated: total > files.length,
  };
}

function presentChange(file: ChangedFile) {
  const old = file.oldPath === null ? null : presentPath(file.oldPath);
  return {
    ...presentPath(file.path),
    status: file.status,
    additions: file.additions,
    deletions: file.deletions,
    binary: file.isBinary,
    mode: file.mode,
    sha: file.oid,
    ...(old === null ? {} : { old_path: old.path }),
    ...(old?.path_base64 === undefined ? {} : { old_path_base64: old.path_base64 }),
  };
}
