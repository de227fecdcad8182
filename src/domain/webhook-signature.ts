// Whether a delivery comes from whoever was given the webhook's secret. Judged over the bytes as they came, in constant time.
// Sources: https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries, https://www.standardwebhooks.com and
// https://docs.gitlab.com/user/project/integrations/webhooks/
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { CoregitError } from "./errors.ts";
import type { Provider } from "./sync-spec.ts";
import type { WebhookSecrets } from "./webhook-secrets.ts";

/** Names in lower case. */
export type DeliveryHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** How far a signed time may lie from ours, either way: what Standard Webhooks advises. */
const TOLERANCE_MS = 5 * 60_000;
/** GitLab sends one; a key that is being replaced makes two. */
const MAX_SIGNATURES = 8;

/** What a delivery brings as its proof, before its body is read. */
export type DeliveryProof =
  | { readonly kind: "hub"; readonly signature: Buffer }
  | { readonly kind: "signed"; readonly id: string; readonly timestamp: string; readonly signatures: readonly Buffer[] }
  | { readonly kind: "token"; readonly token: string };

export function header(headers: DeliveryHeaders, name: string): string | null {
  const value = headers[name];
  return typeof value === "string" && value !== "" ? value : null;
}

/** @throws CoregitError `Unauthorized` when there is none, or one that cannot be right. */
export function readProof(provider: Provider, headers: DeliveryHeaders, nowMs: number): DeliveryProof {
  if (provider !== "gitlab") return readHubSignature(headers);
  // A signature that is there has to be right: the token, which whoever reads along has seen, does not stand in for it.
  if (headers["webhook-signature"] !== undefined) return readSignature(headers, nowMs);
  const token = header(headers, "x-gitlab-token");
  if (token === null) throw unauthorized("The delivery has neither a webhook-signature nor an X-Gitlab-Token.");
  return { kind: "token", token };
}

/** True when `body`, the bytes as they came, is proven. */
export function isProven(proof: DeliveryProof, secrets: WebhookSecrets, body: Uint8Array): boolean {
  if (proof.kind === "token") return timingSafeEqual(digest(proof.token), digest(secrets.token));
  if (proof.kind === "hub") {
    return timingSafeEqual(proof.signature, createHmac("sha256", secrets.signingSecret).update(body).digest());
  }
  const key = Buffer.from(secrets.signingToken.slice("whsec_".length), "base64");
  const expected = createHmac("sha256", key).update(`${proof.id}.${proof.timestamp}.`).update(body).digest();
  return proof.signatures.some((signature) => timingSafeEqual(signature, expected));
}

export function unauthorized(message: string): CoregitError {
  return new CoregitError("Unauthorized", message);
}

function readHubSignature(headers: DeliveryHeaders): DeliveryProof {
  const hex = /^sha256=([0-9a-f]{64})$/i.exec(header(headers, "x-hub-signature-256") ?? "")?.[1];
  if (hex === undefined) throw unauthorized("The delivery has no X-Hub-Signature-256, or none of the form sha256=….");
  return { kind: "hub", signature: Buffer.from(hex, "hex") };
}

function readSignature(headers: DeliveryHeaders, nowMs: number): DeliveryProof {
  const id = header(headers, "webhook-id");
  const timestamp = header(headers, "webhook-timestamp");
  if (id === null || timestamp === null || !/^\d{1,12}$/.test(timestamp)) {
    throw unauthorized("The delivery has a webhook-signature without its webhook-id and webhook-timestamp.");
  }
  if (Math.abs(Number(timestamp) * 1000 - nowMs) > TOLERANCE_MS) {
    throw unauthorized("The delivery was signed more than five minutes from now: it is a late copy, or a clock is wrong.");
  }
  const listed = (header(headers, "webhook-signature") ?? "").split(" ").slice(0, MAX_SIGNATURES);
  const signatures = listed.flatMap((text) => {
    const bytes = text.startsWith("v1,") ? Buffer.from(text.slice("v1,".length), "base64") : Buffer.alloc(0);
    return bytes.length === 32 ? [bytes] : [];
  });
  if (signatures.length === 0) throw unauthorized("The delivery's webhook-signature is not of the form v1,….");
  return { kind: "signed", id, timestamp, signatures };
}

/** Of equal length whatever the texts are. */
function digest(text: string): Buffer {
  return createHash("sha256").update(text, "utf8").digest();
}
