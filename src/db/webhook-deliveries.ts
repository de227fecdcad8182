// Deliveries of webhooks: whom they are for, and what they leave behind. Both statements take many at once, so that a storm of
// deliveries costs a statement for what came while the one before it was under way.
import type { Provider } from "../domain/sync-spec.ts";
import { CHANNELS, type Queryable } from "./database.ts";
import { rowsOf } from "./rows-of.ts";
import { MAX_WAKE_TRACES } from "./wake-traces.ts";

/** A sync as its deliveries meet it. */
export type ListeningRow = {
  readonly syncId: string;
  readonly provider: Provider;
  readonly suspended: boolean;
  /** An import with autoSync. */
  readonly isAutomatic: boolean;
  /** The remote branch that it follows; null: not known before its first success. */
  readonly branch: string | null;
  /** The id and the sealed secret of its webhook; null: it has never had one. */
  readonly webhook: { readonly id: string; readonly sealedSecret: Uint8Array } | null;
};

type Row = {
  readonly id: string;
  readonly provider: Provider;
  readonly suspended: boolean;
  readonly is_automatic: boolean;
  readonly branch: string | null;
  readonly webhook_id: string | null;
  readonly secret: Uint8Array | null;
};

// Of a webhook that is being removed the last deliveries are still known for what they are.
const FIND = `
  SELECT found.* FROM ${rowsOf("$1::text[]")} AS wanted (id)
  CROSS JOIN LATERAL (
    SELECT s.id, COALESCE(w.provider, c.provider, 'git') AS provider, s.suspended,
      s.spec->>'direction' = 'import' AND (s.spec->>'autoSync')::boolean AS is_automatic,
      COALESCE(s.spec->>'remoteBranch', s.spec->>'branch',
        CASE WHEN NOT s.made_repository OR s.last_synced_sha IS NOT NULL THEN r.default_branch END) AS branch,
      w.id AS webhook_id, w.secret
    FROM syncs s
    JOIN repositories r ON r.id = s.repository_id
    LEFT JOIN connections c ON c.id = s.connection_id
    LEFT JOIN LATERAL (
      SELECT id, provider, secret FROM webhooks WHERE sync_id = s.id ORDER BY retired_at DESC NULLS FIRST LIMIT 1) w ON true
    WHERE s.id = wanted.id LIMIT 1
  ) AS found`;

/** The syncs of these ids, those that there are. */
export async function findListeningSyncs(db: Queryable, syncIds: readonly string[]): Promise<ListeningRow[]> {
  const { rows } = await db.query<Row>(FIND, [syncIds], "find_listening_syncs");
  return rows.map((row) => ({
    syncId: row.id,
    provider: row.provider,
    suspended: row.suspended,
    isAutomatic: row.is_automatic,
    branch: row.branch,
    webhook: row.webhook_id === null || row.secret === null ? null : { id: row.webhook_id, sealedSecret: row.secret },
  }));
}

export type ArrivedDelivery = {
  readonly syncId: string;
  /** null: nothing tells whether it came before. */
  readonly deliveryId: string | null;
  /** It says that the sync's branch moved. Else it only shows that the webhook works. */
  readonly isNews: boolean;
  /** Of its own request; null: nobody records traces. */
  readonly traceparent: string | null;
};

// Rows are locked in order of their ids: two processes that record the same deliveries wait for each other one way only.
// What is due already, or about to be looked at, is not written again. A wait that the remote has asked for is kept, and so is the
// one of a remote that had nothing new just now.
const RECORD = `
  WITH arrived AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::boolean[], $4::text[]) AS a (sync_id, delivery_id, is_news, traceparent)
  ), fresh AS (
    INSERT INTO webhook_deliveries (sync_id, delivery_id)
    SELECT DISTINCT sync_id, delivery_id FROM arrived WHERE is_news AND delivery_id IS NOT NULL ORDER BY 1, 2
    ON CONFLICT DO NOTHING
    RETURNING sync_id, delivery_id
  ), news AS (
    SELECT s.id FROM syncs s
    WHERE s.id IN (SELECT sync_id FROM fresh UNION SELECT sync_id FROM arrived WHERE is_news AND delivery_id IS NULL)
      AND NOT s.suspended AND s.last_error_code IS DISTINCT FROM 'RateLimited'
      AND (s.next_run_at > GREATEST(now(), s.quiet_until) OR s.announced_epoch IS DISTINCT FROM s.lease_epoch)
    ORDER BY s.id FOR NO KEY UPDATE
  ), due AS (
    UPDATE syncs s SET next_run_at = LEAST(s.next_run_at, GREATEST(now(), s.quiet_until)), announced_epoch = s.lease_epoch,
      wake_traces = (s.wake_traces || ARRAY(
        SELECT traceparent FROM arrived WHERE sync_id = s.id AND is_news AND traceparent IS NOT NULL))[1:${MAX_WAKE_TRACES}]
    FROM news WHERE s.id = news.id RETURNING s.id
  ), shown AS (
    SELECT w.id FROM webhooks w
    WHERE w.sync_id IN (SELECT sync_id FROM arrived) AND w.retired_at IS NULL
      AND (w.last_delivery_at IS NULL OR w.last_delivery_at < now() - interval '1 minute')
    ORDER BY w.id FOR NO KEY UPDATE
  ), seen AS (
    UPDATE webhooks w SET last_delivery_at = now(),
      next_check_at = CASE WHEN w.state <> 'Active' THEN LEAST(w.next_check_at, now()) ELSE w.next_check_at END
    FROM shown WHERE w.id = shown.id RETURNING w.sync_id, w.state
  ), told AS (
    SELECT pg_notify('${CHANNELS.syncDue}', id) FROM due
    UNION ALL SELECT pg_notify('${CHANNELS.syncChanged}', sync_id) FROM seen
    UNION ALL SELECT pg_notify('${CHANNELS.webhookDue}', sync_id) FROM seen WHERE state <> 'Active'
  )
  SELECT fresh.sync_id, fresh.delivery_id FROM (SELECT count(*) FROM told) AS done LEFT JOIN fresh ON true`;

/**
 * Records deliveries and makes the syncs due that one brings news for, once for all of them; workers are notified. Returns the news
 * with an id that came for the first time.
 */
export async function recordDeliveries(
  db: Queryable,
  deliveries: readonly ArrivedDelivery[],
): Promise<{ readonly syncId: string; readonly deliveryId: string }[]> {
  const columns = [
    deliveries.map(({ syncId }) => syncId),
    deliveries.map(({ deliveryId }) => deliveryId),
    deliveries.map(({ isNews }) => isNews),
    deliveries.map(({ traceparent }) => traceparent),
  ];
  const { rows } = await db.query<{ sync_id: string | null; delivery_id: string }>(RECORD, columns, "record_deliveries");
  return rows.flatMap((row) => (row.sync_id === null ? [] : [{ syncId: row.sync_id, deliveryId: row.delivery_id }]));
}

/** Forgets deliveries of more than a day ago: neither provider sends one again by itself, and a person rarely later. */
export async function forgetOldDeliveries(db: Queryable): Promise<void> {
  await db.query("DELETE FROM webhook_deliveries WHERE at < now() - interval '1 day'");
}
