// What must be declared and withdrawn so that the rows become what the folder says. Pure. The rule that decides here:
// what a broken file used to declare is kept. A typing error must not remove a sync.

import type { ManifestKey } from "./manifest.ts";
import type { DeclaredManifest, ManifestSet } from "./manifest-set.ts";

/** What the rows hold already. */
export type Applied = {
  /** The declaration as text, null: not known, since an earlier process made it. */
  readonly fingerprint: string | null;
  /** The file that declared it, null: not known. */
  readonly file: string | null;
};

export type ManifestChanges = {
  /** In the order in which they refer to each other. */
  readonly declare: readonly DeclaredManifest[];
  /** In the opposite order. */
  readonly withdraw: readonly ManifestKey[];
};

const ORDER = ["Repository", "Connection", "RepoSync"];

export function planManifestChanges(set: ManifestSet, applied: ReadonlyMap<ManifestKey, Applied>): ManifestChanges {
  const declare = [...set.declared.values()].filter(({ key, fingerprint }) => applied.get(key)?.fingerprint !== fingerprint);
  const withdraw = [...applied].filter(([key, row]) => isGone(set, key, row)).map(([key]) => key);
  return {
    declare: declare.sort((a, b) => rank(a.key) - rank(b.key)),
    withdraw: withdraw.sort((a, b) => rank(b) - rank(a)),
  };
}

/** Not in the folder, and not possibly in a part of it that could not be understood. */
function isGone(set: ManifestSet, key: ManifestKey, { file }: Applied): boolean {
  if (set.declared.has(key) || set.claimed.has(key)) return false;
  return file === null ? set.brokenFiles.size === 0 : !set.brokenFiles.has(file);
}

function rank(key: ManifestKey): number {
  return ORDER.indexOf(key.split("/", 1)[0] ?? "");
}
