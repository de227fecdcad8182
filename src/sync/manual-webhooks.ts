// Webhooks that somebody sets up by hand, because their git server has no API by which they could be made: what they are set up
// with, and another secret in place of the one before.
import { randomBytes } from "node:crypto";
import type { Database } from "../db/database.ts";
import { type LiveWebhook, readLiveWebhook, replaceWebhookSecret } from "../db/manual-webhooks.ts";
import { open, type SealingKeys, seal } from "../db/seal.ts";
import { CoregitError } from "../domain/errors.ts";
import { WEBHOOK_SECRET_BYTES, webhookSecrets } from "../domain/webhook-secrets.ts";

export type ManualWebhook = {
  readonly url: string;
  /** Key of X-Hub-Signature-256. */
  readonly secret: string;
};

/** @throws CoregitError `NoManualWebhook` for a sync whose webhook Coregit makes itself, or that has none; `CredentialUnreadable`. */
export interface ManualWebhooks {
  read(syncId: string): Promise<ManualWebhook>;
  /** Deliveries signed with the secret before are refused from then on. */
  rotate(syncId: string): Promise<ManualWebhook>;
}

export type ManualWebhooksOptions = { readonly database: Database; readonly keys: SealingKeys };

export function openManualWebhooks({ database, keys }: ManualWebhooksOptions): ManualWebhooks {
  return {
    async read(syncId) {
      const { id, url, sealedSecret } = await requireManual(database, syncId);
      return present(url, open(keys, { what: "webhook secret", id }, sealedSecret));
    },
    async rotate(syncId) {
      const { id, url } = await requireManual(database, syncId);
      const secret = randomBytes(WEBHOOK_SECRET_BYTES);
      const sealed = seal(keys, { what: "webhook secret", id }, secret);
      if (await database.transaction((tx) => replaceWebhookSecret(tx, id, sealed))) return present(url, secret);
      throw none("The sync was changed in the meantime; ask again.");
    },
  };
}

function present(url: string, secret: Uint8Array): ManualWebhook {
  return { url, secret: webhookSecrets(secret).signingSecret };
}

async function requireManual(database: Database, syncId: string): Promise<LiveWebhook & { readonly url: string }> {
  const webhook = await readLiveWebhook(database, syncId);
  if (webhook === null)
    throw none("Only an import with `auto_sync` has a webhook; one that was just declared has it within seconds.");
  const { url, provider } = webhook;
  if (provider !== "git") throw none(`The webhook at ${NAMES[provider]} is made and looked after by Coregit itself.`);
  if (url === null) throw none("COREGIT_PUBLIC_URL is not set, so no git server could reach this one.");
  return { ...webhook, url };
}

const NAMES = { github: "GitHub", gitlab: "GitLab" } as const;

function none(message: string): CoregitError {
  return new CoregitError("NoManualWebhook", message);
}
