// What a webhook's deliveries prove themselves with, by provider. All of it is derived from one secret, each from its own label, so
// that the plain token, which travels with every delivery, tells nothing about what signs.
import { createHmac } from "node:crypto";

export const WEBHOOK_SECRET_BYTES = 32;

export type WebhookSecrets = {
  /** GitHub, Gitea, Forgejo: the key of X-Hub-Signature-256. */
  readonly signingSecret: string;
  /** GitLab's secret token, as X-Gitlab-Token has it. */
  readonly token: string;
  /** GitLab's signing token: `whsec_` and 32 bytes in base64. */
  readonly signingToken: string;
};

export function webhookSecrets(secret: Uint8Array): WebhookSecrets {
  const derive = (label: string): Buffer => createHmac("sha256", secret).update(`coregit webhook ${label}`).digest();
  return {
    signingSecret: derive("secret").toString("base64url"),
    token: derive("token").toString("base64url"),
    signingToken: `whsec_${derive("signing token").toString("base64")}`,
  };
}
