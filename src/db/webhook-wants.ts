// What syncs want of their webhooks, against the rows that there are. An import with autoSync wants one, at the repository that it
// and its connection name; what was for another repository, another address of ours or a sync that is gone, is retired.
import type { Provider } from "../domain/sync-spec.ts";
import type { Queryable, Transaction } from "./database.ts";
import { notify } from "./notify.ts";

/** Address of ours below the public URL; providers deliver there. */
const PATH = "/v1/sync-webhooks/";

// $1: syncs to look at, null: all. $2: public URL, null: there is none.
const WANTED = `
  WITH wanted AS (
    SELECT s.id AS sync_id, COALESCE(c.provider, 'git') AS provider, c.base_url, s.spec->>'remote' AS remote, s.connection_id,
      $2::text || '${PATH}' || COALESCE(c.provider, 'git') || '/' || s.id AS url,
      CASE WHEN (s.remote_identity->>'declared')::jsonb = jsonb_build_array(c.provider, c.base_url, s.spec->>'remote')
        THEN s.remote_identity->>'id' END AS remote_id
    FROM syncs s LEFT JOIN connections c ON c.id = s.connection_id
    WHERE ($1::text[] IS NULL OR s.id = ANY($1)) AND s.spec->>'direction' = 'import' AND (s.spec->>'autoSync')::boolean
  )`;

// Nothing is registered anywhere for provider git, or without an address: such a row goes along with the sync. A sync may come to be
// tied to another repository than had the name when the webhook was made.
const IS_FOR = `(w.sync_id = x.sync_id AND w.provider = x.provider AND (w.provider = 'git' OR (
    w.remote = x.remote AND w.base_url IS NOT DISTINCT FROM x.base_url AND (w.url IS NULL OR w.url = x.url)
    AND (w.remote_id = x.remote_id) IS NOT FALSE)))`;

const RETIRE = `${WANTED}
  UPDATE webhooks w SET retired_at = now(), next_check_at = now(), failures = 0
  WHERE w.retired_at IS NULL AND ($1::text[] IS NULL OR w.sync_id = ANY($1))
    AND NOT EXISTS (SELECT 1 FROM wanted x WHERE ${IS_FOR})
  RETURNING w.sync_id`;

// Two of one address may wait to be removed: one that lacked an address got that of the one before it.
const REVIVE = `${WANTED}, latest AS (
    SELECT DISTINCT ON (w.sync_id) w.id FROM webhooks w JOIN wanted x ON ${IS_FOR}
    WHERE w.retired_at IS NOT NULL AND w.url IS NOT DISTINCT FROM x.url
      AND NOT EXISTS (SELECT 1 FROM webhooks o WHERE o.sync_id = w.sync_id AND o.retired_at IS NULL)
    ORDER BY w.sync_id, w.retired_at DESC, w.id
  )
  UPDATE webhooks w SET retired_at = NULL, state = 'Pending', message = NULL, next_check_at = now(), failures = 0
  FROM latest WHERE w.id = latest.id AND w.retired_at IS NOT NULL
  RETURNING w.sync_id`;

const FOLLOW = `${WANTED}
  UPDATE webhooks w SET url = x.url, base_url = x.base_url, remote = x.remote, connection_id = x.connection_id, credential = NULL,
    ca_pem = NULL, next_check_at = now()
  FROM wanted x
  WHERE w.retired_at IS NULL AND ${IS_FOR}
    AND ((w.url, w.base_url, w.remote, w.connection_id) IS DISTINCT FROM (x.url, x.base_url, x.remote, x.connection_id)
      OR w.credential IS NOT NULL)
  RETURNING w.sync_id`;

const MISSING = `${WANTED}
  SELECT x.* FROM wanted x
  WHERE NOT EXISTS (SELECT 1 FROM webhooks w WHERE w.sync_id = x.sync_id AND w.retired_at IS NULL)`;

export type WantedWebhook = {
  readonly syncId: string;
  readonly provider: Provider;
  readonly baseUrl: string | null;
  readonly remote: string;
  readonly connectionId: string | null;
  readonly url: string | null;
};

type WantedRow = {
  readonly sync_id: string;
  readonly provider: Provider;
  readonly base_url: string | null;
  readonly remote: string;
  readonly connection_id: string | null;
  readonly url: string | null;
};

/**
 * Makes rows fit what these syncs, or null: all, want, as far as rows are there. Returns what still wants a row. Idempotent; writes
 * nothing when nothing changed.
 */
export async function alignWebhooks(
  db: Queryable,
  syncIds: readonly string[] | null,
  publicUrl: string | null,
): Promise<WantedWebhook[]> {
  const changed = new Set<string>();
  for (const statement of [RETIRE, REVIVE, FOLLOW]) {
    const { rows } = await db.query<{ sync_id: string }>(statement, [syncIds, publicUrl]);
    for (const { sync_id } of rows) changed.add(sync_id);
  }
  await notify(db, "syncChanged", [...changed]);
  const { rows } = await db.query<WantedRow>(MISSING, [syncIds, publicUrl]);
  return rows.map((row) => ({
    syncId: row.sync_id,
    provider: row.provider,
    baseUrl: row.base_url,
    remote: row.remote,
    connectionId: row.connection_id,
    url: row.url,
  }));
}

/** Makes the row, due at once. False: the sync has one, or is gone. */
export async function insertWebhook(
  db: Queryable,
  { id, sealedSecret, ...wanted }: WantedWebhook & { readonly id: string; readonly sealedSecret: Uint8Array },
): Promise<boolean> {
  const { rowCount } = await db.query(
    `INSERT INTO webhooks (id, sync_id, url, provider, base_url, remote, connection_id, secret)
     SELECT $1, id, $3, $4, $5, $6, $7, $8 FROM syncs WHERE id = $2
     ON CONFLICT (sync_id) WHERE retired_at IS NULL DO NOTHING`,
    [id, wanted.syncId, wanted.url, wanted.provider, wanted.baseUrl, wanted.remote, wanted.connectionId, sealedSecret],
  );
  return rowCount === 1;
}

/** Keeps what lets in at the server that the connection still leads to, for webhooks that are to be removed there afterwards. */
export async function keepAccess(tx: Transaction, connectionId: string): Promise<void> {
  await tx.query(
    `UPDATE webhooks w SET credential = c.credential, ca_pem = c.ca_pem
     FROM connections c WHERE c.id = $1 AND w.connection_id = c.id AND w.credential IS NULL AND w.url IS NOT NULL AND w.provider <> 'git'`,
    [connectionId],
  );
}

/** The connection has changed, come or gone: what could not be had, or removed, with it may be now. One that works is left to its turn. */
export async function recheckWebhooks(tx: Transaction, connectionId: string): Promise<void> {
  const { rows } = await tx.query<{ sync_id: string }>(
    `UPDATE webhooks SET next_check_at =
       CASE WHEN state = 'Active' AND retired_at IS NULL THEN next_check_at ELSE LEAST(next_check_at, now()) END
     WHERE connection_id = $1 RETURNING sync_id`,
    [connectionId],
  );
  const { rows: syncs } = await tx.query<{ id: string }>("SELECT id FROM syncs WHERE connection_id = $1", [connectionId]);
  await notify(tx, "webhookDue", [...new Set([...rows.map((row) => row.sync_id), ...syncs.map((row) => row.id)])]);
}

/** A run found news that no delivery had announced: the webhook is looked after at once. Returns whether there is one. */
export async function suspectWebhook(db: Queryable, syncId: string): Promise<boolean> {
  const { rowCount } = await db.query(
    "UPDATE webhooks SET next_check_at = now() WHERE sync_id = $1 AND retired_at IS NULL AND state = 'Active' AND next_check_at > now()",
    [syncId],
  );
  if (rowCount > 0) await notify(db, "webhookDue", [syncId]);
  return rowCount > 0;
}
