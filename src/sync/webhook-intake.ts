// Deliveries of webhooks, from whoever they come: found to belong to a sync, proven, judged, and recorded as what makes the sync
// due. Nothing of a body is looked at before it is proven. Cheap by the dozen: what comes at once goes through the database together.

import type { Queryable } from "../db/database.ts";
import type { SealingKeys } from "../db/seal.ts";
import { type ArrivedDelivery, findListeningSyncs, type ListeningRow, recordDeliveries } from "../db/webhook-deliveries.ts";
import type { Clock } from "../domain/clock.ts";
import { CoregitError } from "../domain/errors.ts";
import { noTracer, type Tracer } from "../domain/tracer.ts";
import { deliveryId, type IgnoredReason, judgeDelivery } from "../domain/webhook-delivery.ts";
import { type DeliveryHeaders, type DeliveryProof, isProven, readProof, unauthorized } from "../domain/webhook-signature.ts";
import { KnownSecrets } from "./known-secrets.ts";
import { Together } from "./together.ts";

export type Delivery = {
  /** As the address names it. */
  readonly provider: string;
  readonly syncId: string;
  /** Names in lower case. */
  readonly headers: DeliveryHeaders;
};

export interface WebhookIntake {
  /**
   * Whether a delivery is worth reading, from its address and headers alone.
   * @throws CoregitError `SyncNotFound` for a sync that is not there or is another provider's, `Unauthorized` without a proof.
   */
  open(delivery: Delivery): Promise<OpenedDelivery>;
}

export interface OpenedDelivery {
  /**
   * Takes the body, bytes as they came; `parse` makes the payload of them once they are proven. null: it makes the sync due, or
   * the sync is due already; else why it is ignored.
   * @throws CoregitError `Unauthorized`, `InvalidRequest` for a payload that none is, and what `parse` throws.
   */
  take(body: Uint8Array, parse: (body: Uint8Array) => unknown): Promise<IgnoredReason | null>;
}

export type WebhookIntakeOptions = {
  readonly database: Queryable;
  readonly keys: SealingKeys;
  readonly clock: Clock;
  /** Default: no traces. */
  readonly tracer?: Tracer;
};

/** Of one statement. */
const MOST_TOGETHER = 500;

export function openWebhookIntake({ database, keys, clock, tracer = noTracer }: WebhookIntakeOptions): WebhookIntake {
  const secrets = new KnownSecrets(keys);
  const finding = new Together((ids: readonly string[]) => findEach(database, ids), MOST_TOGETHER);
  const recording = new Together((arrived: readonly ArrivedDelivery[]) => recordEach(database, arrived), MOST_TOGETHER);
  return {
    async open({ provider, syncId, headers }) {
      const sync = await finding.ask(syncId);
      if (sync === null || sync.provider !== provider) {
        throw new CoregitError("SyncNotFound", "There is no such sync of this provider.");
      }
      const proof = readProof(sync.provider, headers, clock.now());
      return {
        async take(body, parse) {
          prove(sync, { secrets, proof, body });
          const judged = judgeDelivery({ provider: sync.provider, headers, payload: parse(body) }, sync);
          const isNews = judged === null;
          const traceparent = tracer.current()?.traceparent ?? null;
          const isFresh = await recording.ask({ syncId, deliveryId: deliveryId(sync.provider, headers), isNews, traceparent });
          return isNews && !isFresh ? "duplicate" : judged;
        },
      };
    },
  };
}

type Claimed = { readonly secrets: KnownSecrets; readonly proof: DeliveryProof; readonly body: Uint8Array };

function prove({ webhook }: ListeningRow, { secrets, proof, body }: Claimed): void {
  if (webhook === null) throw unauthorized("The sync has no webhook, so nothing can be signed for it.");
  if (isProven(proof, secrets.of(webhook), body)) return;
  throw unauthorized("The delivery's signature or token is not that of this webhook.");
}

async function findEach(database: Queryable, ids: readonly string[]): Promise<readonly (ListeningRow | null)[]> {
  const found = new Map((await findListeningSyncs(database, [...new Set(ids)])).map((sync) => [sync.syncId, sync]));
  return ids.map((id) => found.get(id) ?? null);
}

/** Whether each came for the first time, as far as its id tells. Of equal ones in one round it is the first. */
async function recordEach(database: Queryable, arrived: readonly ArrivedDelivery[]): Promise<readonly boolean[]> {
  const recorded = await recordDeliveries(database, arrived);
  const fresh = new Set(recorded.map(({ syncId, deliveryId: id }) => JSON.stringify([syncId, id])));
  return arrived.map(({ syncId, deliveryId: id }) => id === null || fresh.delete(JSON.stringify([syncId, id])));
}
