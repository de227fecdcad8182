// What a run says of itself in history, in one sentence. Without times or ids, so that the same outcome reads the same.

type Counts = { readonly added: number; readonly modified: number; readonly deleted: number };

/** `Imported 15 files, deleted 3.` */
export function importedMessage(counts: Counts): string {
  return doneMessage("Imported", counts);
}

/** `Exported 15 files, deleted 3.` */
export function exportedMessage(counts: Counts): string {
  return doneMessage("Exported", counts);
}

function doneMessage(verb: string, { added, modified, deleted }: Counts): string {
  const written = added + modified;
  if (written === 0) return deleted === 0 ? UP_TO_DATE : `Deleted ${files(deleted)}.`;
  return deleted === 0 ? `${verb} ${files(written)}.` : `${verb} ${files(written)}, deleted ${deleted}.`;
}

/** `Plan: 3 added, 1 modified, 0 deleted.` */
export function plannedMessage({ added, modified, deleted }: Counts, conflicts: number): string {
  if (conflicts > 0) return `Plan: stops with conflicts on ${conflicts === 1 ? "1 path" : `${conflicts} paths`}.`;
  return `Plan: ${added} added, ${modified} modified, ${deleted} deleted.`;
}

/** Follows another sentence. */
export function movedMessage(path: string): string {
  return `The remote is ${path} now, which is followed.`;
}

export const UP_TO_DATE = "Already up to date.";

function files(count: number): string {
  return count === 1 ? "1 file" : `${count} files`;
}
