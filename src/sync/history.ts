// Reading history: runs of a repository, a sync or a namespace, newest first, in pages.
import type { Database } from "../db/database.ts";
import { listRunRows, type RunPosition, type RunRecord, type RunsOf, readRun } from "../db/runs.ts";
import { CoregitError } from "../domain/errors.ts";

export type { RunRecord };

export type HistoryPage = {
  readonly runs: readonly RunRecord[];
  /** Opaque; null: this was the last page. */
  readonly nextCursor: string | null;
};

export interface History {
  /** `limit` runs after `cursor`. @throws CoregitError `InvalidRequest` for a cursor that this server did not make. */
  listRuns(of: RunsOf, page: { readonly limit: number; readonly cursor?: string | null }): Promise<HistoryPage>;
  /** By id, or null. */
  getRun(id: string): Promise<RunRecord | null>;
}

export function openHistory(database: Database): History {
  return {
    async listRuns(of, { limit, cursor }) {
      const after = cursor === undefined || cursor === null ? null : decodeCursor(cursor);
      // One more than asked for tells whether there is another page.
      const rows = await listRunRows(database, of, { limit: limit + 1, after });
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      const hasMore = rows.length > limit && last !== undefined;
      return { runs: page.map(({ run }) => run), nextCursor: hasMore ? encodeCursor(last.position) : null };
    },
    getRun: (id) => readRun(database, id),
  };
}

function encodeCursor({ startedAt, id }: RunPosition): string {
  return Buffer.from(JSON.stringify([startedAt, id]), "utf8").toString("base64url");
}

/** A time as PostgreSQL writes it, so that no other text reaches a cast. */
const TIME = /^\d{4,6}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?[+-]\d\d(?::\d\d){0,2}$/;
const ID = /^run_[0-9a-f]{1,64}$/;

function decodeCursor(cursor: string): RunPosition {
  const parsed = parseJson(Buffer.from(cursor, "base64url").toString("utf8"));
  const [startedAt, id] = Array.isArray(parsed) ? parsed : [];
  if (typeof startedAt === "string" && typeof id === "string" && TIME.test(startedAt) && ID.test(id)) return { startedAt, id };
  throw new CoregitError("InvalidRequest", "The cursor is not one that this server has given.");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
