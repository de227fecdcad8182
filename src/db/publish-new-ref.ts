// What a first push or commit is (one pack, one ref that is not there yet) as one statement with the effects and the order of
// locks of the transaction in the git store's publish. A name may be taken only if no other ref stands in its way, and the
// whole statement sees the refs as they were when it began. So it writes only when the repository, once its turn has come, is
// still of the version that was seen then: every change of refs moves that.
import { CHANNELS, type Queryable } from "./database.ts";
import { CONFLICTS, conflictValues } from "./move-refs.ts";
import { type NewPack, packValues } from "./packs.ts";

export type NewRefPublication = {
  readonly repositoryId: string;
  readonly pack: NewPack;
  readonly ref: { readonly name: string; readonly oid: string };
  readonly actor: string;
  readonly reason: string;
  /** Of whoever makes the ref; null: nobody records traces. */
  readonly traceparent: string | null;
};

/** The first four values are those of `CONFLICTS`. */
const STATEMENT = `
  WITH seen AS MATERIALIZED (
    SELECT version FROM repositories WHERE id = $1
  ), repository AS (
    UPDATE repositories SET version = repositories.version + 1, updated_at = now() FROM seen
    WHERE repositories.id = $1 AND repositories.version = seen.version AND NOT EXISTS (${CONFLICTS})
    RETURNING repositories.id
  ), made AS (
    INSERT INTO refs (repository_id, name, oid) SELECT id, $5::text, $6::text FROM repository
    ON CONFLICT DO NOTHING RETURNING repository_id, name, oid
  ), pack AS (
    INSERT INTO packs (id, repository_id, name, source, object_count, pack_size, idx_size, pack_sha256, idx_sha256, pack_bytes, idx_bytes)
    SELECT $10::text, $11::text, $12::text, $13::text, $14::integer, $15::bigint, $16::bigint, $17::bytea, $18::bytea, $19::bytea, $20::bytea
    FROM made
  ), logged AS (
    INSERT INTO reflog (repository_id, ref, old_oid, new_oid, actor, reason, traceparent)
    SELECT repository_id, name, NULL, oid, $7::text, $8::text, $9::text FROM made
  )
  SELECT pg_notify('${CHANNELS.refMoved}', repository_id) FROM made`;

/**
 * False: the ref is there, or another stands in its way, or the repository changed meanwhile or is not there. Then nothing was
 * written but perhaps a new version.
 */
export async function publishNewRef(db: Queryable, publication: NewRefPublication): Promise<boolean> {
  const { repositoryId, pack, ref, actor, reason, traceparent } = publication;
  const conflicts = conflictValues(repositoryId, [ref.name]);
  const values = [...conflicts, ref.name, ref.oid, actor, reason, traceparent, ...packValues(repositoryId, pack)];
  return (await db.query(STATEMENT, values, "publish-new-ref")).rowCount === 1;
}
