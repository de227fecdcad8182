// Deliveries as providers send them, for a sync whose webhook's secret a test knows.
import { createHmac, randomUUID } from "node:crypto";
import type { Database } from "../../src/db/database.ts";
import { newRowId } from "../../src/db/row-id.ts";
import { seal } from "../../src/db/seal.ts";
import { insertWebhook } from "../../src/db/webhook-wants.ts";
import type { Provider } from "../../src/domain/sync-spec.ts";
import { type WebhookSecrets, webhookSecrets } from "../../src/domain/webhook-secrets.ts";
import { signatureHeaders } from "./providers/gitlab/hooks.ts";
import { TEST_KEYS } from "./quiet-spec.ts";
import { knowSecretsIn } from "./secrets/declared-secrets.ts";

/** Gives the sync a webhook that nobody has registered; `url` is where it would deliver to. */
export async function giveWebhook(
  database: Database,
  syncId: string,
  provider: Provider,
  url: string | null = null,
): Promise<WebhookSecrets> {
  const secret = Buffer.alloc(32, syncId);
  const id = newRowId("hook");
  const sealedSecret = seal(TEST_KEYS, { what: "webhook secret", id }, secret);
  const place = { provider, baseUrl: null, remote: "a/b", connectionId: null, url };
  await insertWebhook(database, { id, syncId, sealedSecret, ...place });
  const secrets = webhookSecrets(secret);
  knowSecretsIn("a webhook", secrets);
  return secrets;
}

export type Sent = { readonly headers: Readonly<Record<string, string>>; readonly body: Buffer };

export const COMMIT = "7f3b21c0a9d1e4b5c6f70819aabbccddeeff0011";
export const NO_COMMIT = "0".repeat(40);

/** A push as GitHub's payload has it, as far as anybody looks at it. */
export function push(changes: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return { ref: "refs/heads/main", before: NO_COMMIT, after: COMMIT, created: false, deleted: false, ...changes };
}

export function fromGitHub(
  { signingSecret }: WebhookSecrets,
  payload: unknown,
  headers: Readonly<Record<string, string>> = {},
): Sent {
  const body = Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload));
  const signature = createHmac("sha256", signingSecret).update(body).digest("hex");
  return {
    body,
    headers: {
      "content-type": "application/json",
      "x-github-event": "push",
      "x-github-delivery": randomUUID(),
      "x-hub-signature-256": `sha256=${signature}`,
      ...headers,
    },
  };
}

/** By the plain token, as GitLab before 19.0 sends it. */
export function fromOldGitLab({ token }: WebhookSecrets, payload: unknown, headers: Readonly<Record<string, string>> = {}): Sent {
  const body = Buffer.from(JSON.stringify({ object_kind: "push", ...(payload as object) }));
  const own = { "x-gitlab-event": "Push Hook", "x-gitlab-token": token, "idempotency-key": randomUUID() };
  return { body, headers: { "content-type": "application/json", ...own, ...headers } };
}

/** With a signature, as GitLab does since 19.0, `agoMs` before now. */
export function fromGitLab(secrets: WebhookSecrets, payload: unknown, agoMs = 0): Sent {
  const { body, headers } = fromOldGitLab(secrets, payload);
  const key = headers["idempotency-key"] ?? "";
  const seconds = Math.floor((Date.now() - agoMs) / 1000);
  return { body, headers: { ...headers, ...signatureHeaders(secrets.signingToken, { key, body, seconds }) } };
}
