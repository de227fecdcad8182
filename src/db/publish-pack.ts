// What most publishes are (one pack, one ref that moves) as one statement: a single round trip, and the rows are locked for
// no longer than the server takes. Several of them share a statement, and with it the wait for the disk and the one for
// the server's queue of notifications, which lets one transaction commit at a time. The effects and the order of locks are
// those of the transaction in the git store's publish: first the repository's row, then the ref.
import { CoregitError } from "../domain/errors.ts";
import type { Oid } from "../domain/oid.ts";
import { CHANNELS, type Queryable } from "./database.ts";
import type { RefMove } from "./move-refs.ts";
import { type NewPack, packValues } from "./packs.ts";

/** What the reflog says of a move. */
type Why = {
  readonly actor: string;
  readonly reason: string;
  /** Of whoever moves the ref; null: nobody records traces. */
  readonly traceparent: string | null;
};

type PackMove = {
  readonly repositoryId: string;
  readonly pack: NewPack;
  readonly move: { readonly [K in keyof RefMove]: NonNullable<RefMove[K]> };
};

export type PackPublication = PackMove & Why;

/** One of the commits by which a ref comes to where it is moved. */
export type RefStep = Why & { readonly from: Oid; readonly to: Oid };

/** `steps` from where the ref is to where it is moved. */
export type ChainPublication = PackMove & { readonly steps: readonly RefStep[] };

/** How what the reflog says is given, in the order of the values behind those of `moveValues`, and written. */
type Log = { readonly columns: Readonly<Record<string, string>>; readonly select: string };

const ONE_LINE: Log = {
  columns: { actor: "text", reason: "text", traceparent: "text" },
  select: "SELECT repository_id, ref, old_oid, new_oid, actor, reason, traceparent FROM moved",
};

const LINE_A_STEP: Log = {
  columns: { froms: "text[]", tos: "text[]", actors: "text[]", reasons: "text[]", traceparents: "text[]" },
  select: `SELECT repository_id, ref, step.old_oid, step.new_oid, step.actor, step.reason, step.traceparent
    FROM moved CROSS JOIN LATERAL unnest(froms, tos, actors, reasons, traceparents) WITH ORDINALITY
      AS step (old_oid, new_oid, actor, reason, traceparent, place)
    ORDER BY step.place`,
};

/** Of one publication, in the order of `moveValues`. */
const MOVE_TYPES = [
  ...["text", "text", "text", "text", "integer", "bigint", "bigint", "bytea", "bytea", "bytea", "bytea"],
  ...["text", "text", "text"],
];

/** A statement of this many takes about as long as the disk to make it durable. Each number is a prepared statement of its own. */
export const MAX_TOGETHER = 16;

/** CTEs that lock the repositories of `given`, move their versions and leave `repository (id)`. */
type MoveVersions = string;

const WAITING: MoveVersions = `
  repository AS (
    UPDATE repositories SET version = version + 1, updated_at = now() FROM given
    WHERE repositories.id = given.repository_id RETURNING repositories.id
  )`;

// A row that has got another version since the statement began is left out as well, which its ctid tells: an UPDATE would come
// back to the old version, and whoever waits there for the new one, which is locked by now, would have to be waited for.
const SKIPPING: MoveVersions = `
  locked AS (
    SELECT id, ctid FROM repositories WHERE id IN (SELECT repository_id FROM given) FOR NO KEY UPDATE SKIP LOCKED
  ), repository AS (
    UPDATE repositories SET version = version + 1, updated_at = now() FROM locked
    WHERE repositories.id = locked.id AND repositories.ctid = locked.ctid RETURNING repositories.id
  )`;

// The move of the ref decides; the pack and the log follow from it.
function statement(count: number, moveVersions: MoveVersions, log: Log = ONE_LINE): string {
  const types = [...MOVE_TYPES, ...Object.values(log.columns)];
  return `
  WITH given (item, id, repository_id, name, source, object_count, pack_size, idx_size, pack_sha256, idx_sha256, pack_bytes,
    idx_bytes, ref, old_oid, new_oid, ${Object.keys(log.columns).join(", ")}) AS (VALUES ${placeholders(count, types)}
  ), ${moveVersions}, moved AS (
    UPDATE refs SET oid = given.new_oid, updated_at = now() FROM given JOIN repository ON repository.id = given.repository_id
    WHERE refs.repository_id = given.repository_id AND refs.name = given.ref AND refs.oid = given.old_oid
    RETURNING given.*
  ), pack AS (
    INSERT INTO packs (id, repository_id, name, source, object_count, pack_size, idx_size, pack_sha256, idx_sha256, pack_bytes, idx_bytes)
    SELECT id, repository_id, name, source, object_count, pack_size, idx_size, pack_sha256, idx_sha256, pack_bytes, idx_bytes FROM moved
  ), logged AS (
    INSERT INTO reflog (repository_id, ref, old_oid, new_oid, actor, reason, traceparent)
    ${log.select}
  )
  SELECT item, pg_notify('${CHANNELS.refMoved}', repository_id) FROM moved`;
}

/** Rows as `(3, $49::text, $50::text, …)`. */
function placeholders(count: number, types: readonly string[]): string {
  const row = (item: number): string => {
    const before = item * types.length + 1;
    return `(${[item, ...types.map((type, column) => `$${before + column}::${type}`)].join(", ")})`;
  };
  return Array.from({ length: count }, (_, item) => row(item)).join(", ");
}

function moveValues({ repositoryId, pack, move }: PackMove): readonly unknown[] {
  return [...packValues(repositoryId, pack), move.name, move.expected, move.next];
}

function valuesOf(publication: PackPublication): readonly unknown[] {
  return [...moveValues(publication), publication.actor, publication.reason, publication.traceparent];
}

const ALONE = statement(1, WAITING);
const CHAIN = statement(1, WAITING, LINE_A_STEP);
/** By how many publications they take, less one. */
const TOGETHER = Array.from({ length: MAX_TOGETHER }, (_, index) => statement(index + 1, SKIPPING));

/** False: the ref is not what it was expected to be, or not there, and nothing was written but perhaps a new version. */
export async function publishPack(db: Queryable, publication: PackPublication): Promise<boolean> {
  const { rowCount } = await db.query(ALONE, valuesOf(publication), "publish-pack");
  return rowCount === 1;
}

/** The same of a ref that moves by several commits at once. */
export async function publishChain(db: Queryable, publication: ChainPublication): Promise<boolean> {
  const { steps } = publication;
  const columns = (["from", "to", "actor", "reason", "traceparent"] as const).map((key) => steps.map((step) => step[key]));
  const { rowCount } = await db.query(CHAIN, [...moveValues(publication), ...columns], "publish-chain");
  return rowCount === 1;
}

/**
 * At most `MAX_TOGETHER` publications in one transaction, each for itself: what is said of `publishPack` holds for each.
 * Those whose repository another transaction has locked are left out as well, so that nobody waits for somebody else's lock.
 * Returns those that were written.
 */
export async function publishPacks(
  db: Queryable,
  publications: readonly PackPublication[],
): Promise<ReadonlySet<PackPublication>> {
  const { length } = publications;
  const values = publications.flatMap(valuesOf);
  const sql = TOGETHER[length - 1];
  if (sql === undefined) throw new CoregitError("Internal", `No statement takes ${length} publications.`);
  const { rows } = await db.query<{ item: number }>(sql, values, `publish-packs-${length}`);
  return new Set(rows.flatMap(({ item }) => publications[item] ?? []));
}
