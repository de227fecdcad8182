// The table of syncs as text. Pure: rows in, lines out.
import type { SyncStatus } from "../domain/declaration.ts";
import { readyState } from "../resources/status.ts";

const HEADINGS = ["NAME", "READY", "STATUS", "DIRECTION", "REMOTE", "BRANCH", "SHA"] as const;
/** A remote is cut in the middle beyond this: both its host and its name say something. */
const MAX_REMOTE = 48;
const SHORT_SHA = 12;

/** One line for the headings and one for each sync, columns aligned; beneath, what is wrong with those that are not ready. */
export function renderSyncTable(syncs: readonly SyncStatus[]): string[] {
  const rows = [HEADINGS, ...syncs.map(columnsOf)];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  return [...lines, ...syncs.flatMap(failureOf)];
}

function columnsOf(sync: SyncStatus): readonly string[] {
  const { ready, reason } = readyState(sync);
  return [
    `${sync.namespace}/${sync.name}`,
    ready,
    sync.isRunning ? "Running" : reason,
    sync.spec.direction,
    shorten(printable(sync.spec.remote)),
    printable(sync.localBranch ?? sync.spec.branch ?? "-"),
    sync.lastSyncedSha?.slice(0, SHORT_SHA) ?? "-",
  ];
}

function failureOf(sync: SyncStatus): string[] {
  return sync.lastError === null ? [] : [`  ${sync.namespace}/${sync.name}: ${printable(sync.lastError)}`];
}

function shorten(text: string): string {
  if (text.length <= MAX_REMOTE) return text;
  const half = Math.floor((MAX_REMOTE - 1) / 2);
  return `${text.slice(0, half)}…${text.slice(-half)}`;
}

/** Text from elsewhere must not move the cursor or change the terminal. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, "�");
}
