// A pre-receive hook that looks into what a push brings, in git's quarantine, for the things that providers refuse by content.
// The double says what to look for in the environment; the hook answers with one line that the double turns into the provider's words.
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

export type PushInspection = {
  /** Blobs that are larger are refused. */
  readonly maxBlobBytes: number | null;
  /** New files below this folder are refused: `.github/workflows/`. */
  readonly guardedFolder: string | null;
  /** Text that no pushed file may have: a stand-in for secret scanning. */
  readonly secret: string | null;
  /** Refs, or patterns with `*`, that may not be rewritten. */
  readonly linearRefs: readonly string[];
};

export type InspectionFinding = {
  readonly kind: "size" | "folder" | "secret" | "rewrite" /** Of the file; of the ref for a rewrite. */;
  readonly path: string;
};

const HOOK = `#!/bin/sh
# Looks at what a push brings for what the environment names.
[ -n "$DOUBLE_MAX_BLOB_BYTES$DOUBLE_GUARDED_FOLDER$DOUBLE_SECRET$DOUBLE_LINEAR_REFS" ] || exit 0
set -f
refuse() { echo "DOUBLE-REFUSED $1 $2" >&2; exit 1; }
while read -r old new ref; do
  case $new in *[!0]*) ;; *) continue ;; esac
  for pattern in $DOUBLE_LINEAR_REFS; do
    case $ref in $pattern) ;; *) continue ;; esac
    case $old in *[!0]*) git merge-base --is-ancestor "$old" "$new" || refuse rewrite "$ref" ;; esac
  done
  blobs=$(git rev-list --objects "$new" --not --all |
    git cat-file --batch-check='%(objecttype) %(objectsize) %(objectname) %(rest)' | sed -n 's/^blob //p')
  [ -n "$blobs" ] || continue
  while read -r size oid path; do
    [ -z "$DOUBLE_MAX_BLOB_BYTES" ] || [ "$size" -le "$DOUBLE_MAX_BLOB_BYTES" ] || refuse size "$path"
    if [ -n "$DOUBLE_GUARDED_FOLDER" ]; then
      case $path in "$DOUBLE_GUARDED_FOLDER"*) refuse folder "$path" ;; esac
    fi
    if [ -n "$DOUBLE_SECRET" ] && git cat-file blob "$oid" | grep -qF -e "$DOUBLE_SECRET"; then refuse secret "$path"; fi
  done <<END
$blobs
END
done
`;

export async function installInspection(repositoryPath: string): Promise<void> {
  const hooks = join(repositoryPath, "hooks");
  await mkdir(hooks, { recursive: true });
  await writeFile(join(hooks, "pre-receive"), HOOK);
  await chmod(join(hooks, "pre-receive"), 0o755);
}

export function inspectionEnvironment(inspection: PushInspection): Record<string, string> {
  return {
    DOUBLE_MAX_BLOB_BYTES: inspection.maxBlobBytes === null ? "" : String(inspection.maxBlobBytes),
    DOUBLE_GUARDED_FOLDER: inspection.guardedFolder ?? "",
    DOUBLE_SECRET: inspection.secret ?? "",
    DOUBLE_LINEAR_REFS: inspection.linearRefs.join(" "),
  };
}

export function findingIn(spoken: string): InspectionFinding | null {
  const [, kind, path = ""] = /DOUBLE-REFUSED (\w+) (.*)/.exec(spoken) ?? [];
  return kind === undefined ? null : { kind: kind as InspectionFinding["kind"], path };
}
