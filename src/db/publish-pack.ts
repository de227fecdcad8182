// What most publishes are (one pack, one ref that moves) as one statement: a single round trip, and the rows are locked for
// no longer than the server takes. The effects and the order of locks are those of the transaction in the git store's
// publish: first the repository's row, then the ref.
import { CHANNELS, type Queryable } from "./database.ts";
import { type NewPack, packValues } from "./packs.ts";
import type { RefMove } from "./refs.ts";

export type PackPublication = {
  readonly repositoryId: string;
  readonly pack: NewPack;
  readonly move: { readonly [K in keyof RefMove]: NonNullable<RefMove[K]> };
  readonly actor: string;
  readonly reason: string;
};

// The ref is looked at before the repository's row is locked, so that a lost race mostly costs no new version; and again
// when it is moved, which decides. The pack and the log line follow from the move.
const SQL = `
  WITH repository AS (
    UPDATE repositories SET version = version + 1, updated_at = now()
    WHERE id = $2 AND EXISTS (SELECT FROM refs WHERE repository_id = $2 AND name = $12 AND oid = $13)
    RETURNING id
  ), moved AS (
    UPDATE refs SET oid = $14, updated_at = now() FROM repository
    WHERE refs.repository_id = repository.id AND refs.name = $12 AND refs.oid = $13
    RETURNING refs.name
  ), pack AS (
    INSERT INTO packs (id, repository_id, name, source, object_count, pack_size, idx_size, pack_sha256, idx_sha256, pack_bytes, idx_bytes)
    SELECT $1, $2, $3, $4, $5::integer, $6::bigint, $7::bigint, $8::bytea, $9::bytea, $10::bytea, $11::bytea FROM moved
  ), logged AS (
    INSERT INTO reflog (repository_id, ref, old_oid, new_oid, actor, reason) SELECT $2, name, $13, $14, $15, $16 FROM moved
  )
  SELECT pg_notify('${CHANNELS.refMoved}', $2) FROM moved`;

/** False: the ref is not what it was expected to be, or not there, and nothing was written but perhaps a new version. */
export async function publishPack(db: Queryable, publication: PackPublication): Promise<boolean> {
  const { repositoryId, pack, move, actor, reason } = publication;
  const values = [...packValues(repositoryId, pack), move.name, move.expected, move.next, actor, reason];
  return (await db.query(SQL, values, "publish-pack")).rowCount === 1;
}
