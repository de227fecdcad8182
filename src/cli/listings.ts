// What `get` can list: the address, where the rows are in the answer, and the columns.
import { age, type Row, type TableColumn, text } from "./table.ts";

export type Listing = {
  readonly path: string;
  /** Where the answer has the rows. */
  readonly key: string;
  readonly columns: readonly TableColumn[];
};

const SHORT_SHA = 8;

const plain = (head: string, path: string): TableColumn => ({ head, cell: (row) => text(row, path) });
const wide = (column: TableColumn): TableColumn => ({ ...column, isWide: true });
const sha = (head: string, path: string): TableColumn => ({ head, cell: (row) => text(row, path)?.slice(0, SHORT_SHA) ?? null });
const since = (head: string, path: string): TableColumn => ({ head, cell: (row, now) => age(text(row, path), now) });

const NAMESPACE = plain("NAMESPACE", "namespace");
const NAME = plain("NAME", "name");
const AGE = since("AGE", "created_at");

const syncs: Listing = {
  path: "/v1/syncs",
  key: "syncs",
  columns: [
    NAMESPACE,
    NAME,
    plain("READY", "ready"),
    plain("STATUS", "reason"),
    plain("DIRECTION", "direction"),
    plain("REMOTE", "remote"),
    plain("BRANCH", "branch"),
    sha("SHA", "last_synced_sha"),
    AGE,
    wide(plain("REPOSITORY", "repository.slug")),
    wide(since("LAST SYNC", "last_synced_at")),
    wide(plain("MESSAGE", "message")),
  ],
};

const connections: Listing = {
  path: "/v1/connections",
  key: "connections",
  columns: [
    NAMESPACE,
    NAME,
    plain("PROVIDER", "provider"),
    plain("USERNAME", "external_username"),
    { head: "STATUS", cell: (row) => text(row, "error_code") ?? "Ready" },
    AGE,
    wide(plain("BASE URL", "base_url")),
    wide(plain("MESSAGE", "error")),
  ],
};

const repositories: Listing = {
  path: "/v1/repos",
  key: "repositories",
  columns: [
    NAMESPACE,
    plain("NAME", "slug"),
    plain("BRANCH", "default_branch"),
    sha("SHA", "head_sha"),
    { head: "SIZE", cell: (row) => size(text(row, "size_bytes")) },
    AGE,
    wide(plain("VISIBILITY", "visibility")),
    wide(plain("DESCRIPTION", "description")),
  ],
};

export const RUN_COLUMNS: readonly TableColumn[] = [
  plain("RUN", "id"),
  plain("STATUS", "status"),
  sha("REMOTE SHA", "remote_sha"),
  sha("COMMIT", "commit_sha"),
  since("AGE", "started_at"),
  { head: "TOOK", cell: took },
  plain("MESSAGE", "message"),
];

export const LISTINGS: Readonly<Record<string, Listing>> = {
  syncs,
  connections,
  repositories,
  runs: { path: "/v1/runs", key: "runs", columns: RUN_COLUMNS },
};

function took(row: Row): string | null {
  const end = text(row, "completed_at");
  const start = text(row, "started_at");
  return end === null || start === null ? null : `${((Date.parse(end) - Date.parse(start)) / 1000).toFixed(1)}s`;
}

function size(bytes: string | null): string | null {
  if (bytes === null) return null;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, Number(bytes))) / 10));
  return `${(Number(bytes) / 2 ** (10 * power)).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}
