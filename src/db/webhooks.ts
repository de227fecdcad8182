// Webhooks at providers: rows of `webhooks` as whoever works on them there meets them. What a sync wants of its webhook is
// webhook-wants.ts, what deliveries leave is webhook-deliveries.ts.
//
// A row is worked on by one at a time (`lease_until`) under a number (`lease_epoch`) that every claim moves; what is written for
// another number is not written. A claim takes the row off the schedule: what asks for a look meanwhile causes another one.
import type { RemoteIdentity } from "../domain/remote-identity.ts";
import type { Provider } from "../domain/sync-spec.ts";
import type { Queryable } from "./database.ts";

export type WebhookState = "Pending" | "Active" | "Unavailable";

export type WebhookAccess = {
  readonly connectionId: string;
  readonly sealedCredential: Uint8Array | null;
  readonly caPem: string | null;
  /** A copy of what the connection had before: nobody replaces it when it ends. */
  readonly isCopy: boolean;
};

/** A row that is one worker's for now. */
export type ClaimedWebhook = {
  readonly id: string;
  readonly epoch: number;
  readonly syncId: string;
  /** null: this server has no public URL. */
  readonly url: string | null;
  readonly provider: Provider;
  readonly baseUrl: string | null;
  readonly remote: string;
  /** Which repository the sync is tied to, perhaps by another remote than this one; null: none, or the sync is gone. */
  readonly identity: RemoteIdentity | null;
  /** The number of the repository that it is in; null: nobody has asked yet. */
  readonly remoteId: string | null;
  /** How to be let in; null: there is no connection for it any more, or never was one. */
  readonly access: WebhookAccess | null;
  readonly sealedSecret: Uint8Array;
  readonly hookId: string | null;
  readonly state: WebhookState;
  readonly message: string | null;
  readonly failures: number;
  /** Something has arrived by it. */
  readonly hasDelivered: boolean;
  /** It is to be removed; how long ago that was decided. */
  readonly retiredForMs: number | null;
  /** The one that the sync has in its place, perhaps in the same repository. */
  readonly successorHookId: string | null;
};

type Row = {
  readonly id: string;
  readonly lease_epoch: number;
  readonly sync_id: string;
  readonly url: string | null;
  readonly provider: Provider;
  readonly base_url: string | null;
  readonly remote: string;
  readonly remote_identity: RemoteIdentity | null;
  readonly remote_id: string | null;
  readonly connection_id: string | null;
  readonly credential: Uint8Array | null;
  readonly ca_pem: string | null;
  readonly has_access: boolean;
  readonly is_copy: boolean;
  readonly has_delivered: boolean;
  readonly successor: string | null;
  readonly secret: Uint8Array;
  readonly hook_id: string | null;
  readonly state: WebhookState;
  readonly message: string | null;
  readonly failures: number;
  readonly retired_ms: number | null;
};

// One webhook of a sync at a time, the one that is to go first: the other may be in the same repository under another spelling of
// its name. One that could not be removed does not hold the other up.
const CLAIM = `
  WITH due AS (
    SELECT w.id FROM webhooks w
    WHERE (w.lease_until < now() OR (w.lease_until IS NULL AND w.next_check_at <= now()))
      AND NOT EXISTS (
        SELECT 1 FROM webhooks o
        WHERE o.sync_id = w.sync_id AND o.id <> w.id
          AND (o.lease_until >= now() OR (w.retired_at IS NULL AND o.retired_at IS NOT NULL AND o.failures = 0)))
    ORDER BY w.next_check_at LIMIT $1
    FOR UPDATE SKIP LOCKED
  )
  UPDATE webhooks w
  SET lease_until = now() + $2 * interval '1 millisecond', lease_epoch = w.lease_epoch + 1, next_check_at = 'infinity'
  FROM due JOIN webhooks o ON o.id = due.id
    LEFT JOIN syncs s ON s.id = o.sync_id
    LEFT JOIN connections c ON c.id = o.connection_id AND c.error_code IS NULL AND o.credential IS NULL
      AND c.provider = o.provider AND c.base_url IS NOT DISTINCT FROM o.base_url
  WHERE w.id = due.id
  RETURNING w.id, w.lease_epoch, w.sync_id, w.url, w.provider, w.base_url, w.remote, s.remote_identity, w.remote_id, w.connection_id,
    COALESCE(w.credential, c.credential) AS credential, CASE WHEN w.credential IS NULL THEN c.ca_pem ELSE w.ca_pem END AS ca_pem,
    (c.id IS NOT NULL OR w.credential IS NOT NULL) AS has_access, w.credential IS NOT NULL AS is_copy,
    w.last_delivery_at IS NOT NULL AS has_delivered, w.secret, w.hook_id, w.state, w.message, w.failures,
    (extract(epoch FROM now() - w.retired_at) * 1000)::float8 AS retired_ms,
    (SELECT n.hook_id FROM webhooks n WHERE n.sync_id = w.sync_id AND n.id <> w.id AND n.retired_at IS NULL) AS successor`;

/** Takes rows that are due, those due longest first, each for one caller alone until `leaseMs` from now. */
export async function claimWebhooks(db: Queryable, limit: number, leaseMs: number): Promise<ClaimedWebhook[]> {
  const { rows } = await db.query<Row>(CLAIM, [limit, leaseMs]);
  return rows.map((row) => ({
    id: row.id,
    epoch: row.lease_epoch,
    syncId: row.sync_id,
    url: row.url,
    provider: row.provider,
    baseUrl: row.base_url,
    remote: row.remote,
    identity: row.remote_identity,
    remoteId: row.remote_id,
    access:
      row.has_access && row.connection_id !== null
        ? { connectionId: row.connection_id, sealedCredential: row.credential, caPem: row.ca_pem, isCopy: row.is_copy }
        : null,
    sealedSecret: row.secret,
    hookId: row.hook_id,
    state: row.state,
    message: row.message,
    failures: row.failures,
    hasDelivered: row.has_delivered,
    retiredForMs: row.retired_ms,
    successorHookId: row.successor,
  }));
}

/** Milliseconds until a row is due or its lease ends; null: never. */
export async function readNextCheck(db: Queryable): Promise<number | null> {
  const { rows } = await db.query<{ ms: number | null }>(
    `SELECT (extract(epoch FROM min(COALESCE(lease_until, next_check_at)) - now()) * 1000)::float8 AS ms
     FROM webhooks WHERE next_check_at < 'infinity' OR lease_until IS NOT NULL`,
  );
  return rows[0]?.ms ?? null;
}

/** Notes which repository it is in. False: the row is another's by now. */
export async function writeRemoteId(
  db: Queryable,
  { id, epoch }: Pick<ClaimedWebhook, "id" | "epoch">,
  remoteId: string,
): Promise<boolean> {
  const { rowCount } = await db.query("UPDATE webhooks SET remote_id = $3 WHERE id = $1 AND lease_epoch = $2", [
    id,
    epoch,
    remoteId,
  ]);
  return rowCount === 1;
}

/** What a look at the provider came to. */
export type WebhookResult = {
  readonly hookId: string | null;
  readonly state: WebhookState;
  readonly message: string | null;
  readonly failures: number;
  readonly nextCheckInMs: number;
};

/** Ends the lease with what was found. False: it was another's by then. */
export async function writeWebhook(
  db: Queryable,
  { id, epoch }: Pick<ClaimedWebhook, "id" | "epoch">,
  result: WebhookResult,
): Promise<boolean> {
  const { rowCount } = await db.query(
    `UPDATE webhooks SET hook_id = $3, state = $4, message = $5, failures = $6, lease_until = NULL,
       next_check_at = LEAST(next_check_at, now() + $7 * interval '1 millisecond')
     WHERE id = $1 AND lease_epoch = $2`,
    [id, epoch, result.hookId, result.state, result.message, result.failures, result.nextCheckInMs],
  );
  return rowCount === 1;
}

/** Forgets a webhook that is gone at the provider, or given up. One that is wanted again meanwhile is made anew. */
export async function deleteWebhook(db: Queryable, { id, epoch }: Pick<ClaimedWebhook, "id" | "epoch">): Promise<void> {
  const { rowCount } = await db.query("DELETE FROM webhooks WHERE id = $1 AND lease_epoch = $2 AND retired_at IS NOT NULL", [
    id,
    epoch,
  ]);
  if (rowCount === 1) return;
  await db.query(
    "UPDATE webhooks SET lease_until = NULL, hook_id = NULL, state = 'Pending', next_check_at = now() WHERE id = $1 AND lease_epoch = $2",
    [id, epoch],
  );
}
