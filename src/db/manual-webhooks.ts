// Webhooks that are set up by hand: the row of a sync as whoever does so meets it.
import type { Provider } from "../domain/sync-spec.ts";
import type { Queryable, Transaction } from "./database.ts";
import { notify } from "./notify.ts";

export type LiveWebhook = {
  readonly id: string;
  readonly provider: Provider;
  /** null: this server has no public URL. */
  readonly url: string | null;
  readonly sealedSecret: Uint8Array;
};

type Row = { readonly id: string; readonly provider: Provider; readonly url: string | null; readonly secret: Uint8Array };

/** The webhook that the sync wants; null: none, or not yet. */
export async function readLiveWebhook(db: Queryable, syncId: string): Promise<LiveWebhook | null> {
  const { rows } = await db.query<Row>(
    "SELECT id, provider, url, secret FROM webhooks WHERE sync_id = $1 AND retired_at IS NULL",
    [syncId],
  );
  const [row] = rows;
  return row === undefined ? null : { id: row.id, provider: row.provider, url: row.url, sealedSecret: row.secret };
}

/** Nothing has arrived by it then, whatever had before. False: the row is no longer one of a webhook set up by hand. */
export async function replaceWebhookSecret(db: Transaction, id: string, sealedSecret: Uint8Array): Promise<boolean> {
  const { rows } = await db.query<{ sync_id: string }>(
    `UPDATE webhooks SET secret = $2, last_delivery_at = NULL, next_check_at = now()
     WHERE id = $1 AND retired_at IS NULL AND provider = 'git' RETURNING sync_id`,
    [id, sealedSecret],
  );
  await notify(
    db,
    "webhookDue",
    rows.map(({ sync_id }) => sync_id),
  );
  return rows.length === 1;
}
