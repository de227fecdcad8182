// Where providers deliver to. Answers before the sync runs: a delivery only makes it due.
import { z } from "zod";
import { CoregitError } from "../../domain/errors.ts";
import type { WebhookIntake } from "../../sync/webhook-intake.ts";
import { acceptedDeliveryAnswer, ignoredDeliveryAnswer } from "../answers/webhook.ts";
import { RawBody } from "../raw-body.ts";
import { defineRoute, type Route } from "../route.ts";
import { rowId } from "../schemas.ts";

/** GitHub and GitLab send nothing larger. */
const MAX_DELIVERY_BYTES = 25 * 1024 * 1024;
const FORM = "application/x-www-form-urlencoded";

export const receiveWebhook = (webhooks: WebhookIntake): Route =>
  defineRoute({
    name: "receiveWebhook",
    tag: "Sync",
    summary: "Take a provider's webhook delivery",
    description:
      "Proven by the provider's own signature or token over the bytes of the body, not by a key. A push to the branch that the sync follows makes it due.",
    method: "POST",
    path: "/sync-webhooks/:provider/:syncId",
    access: "signed",
    params: z.object({
      provider: z.string().min(1).describe("`github`, `gitlab`, or `git` for a server that signs as Gitea and Forgejo do."),
      // Asked for together with the ids of others: one that the database does not take would fail them all.
      syncId: rowId.describe("Id of the sync."),
    }),
    body: z.instanceof(RawBody).meta({ document: { type: "object" } }),
    maxBodyBytes: MAX_DELIVERY_BYTES,
    answers: { 200: ignoredDeliveryAnswer, 202: acceptedDeliveryAnswer },
    problems: ["SyncNotFound"],
    async answer({ params, body, headers, signal }) {
      const delivery = await webhooks.open({ ...params, headers });
      const isForm = headers["content-type"]?.toLowerCase().startsWith(FORM) === true;
      const reason = await body.read(signal, (bytes) => delivery.take(bytes, isForm ? parseForm : parseJson));
      if (reason === null) return { status: 202, body: { accepted: true as const } };
      return { status: 200, body: { ignored: true as const, reason } };
    },
  });

/** GitHub's other form of a body, and its default. */
function parseForm(body: Uint8Array): unknown {
  return parseJson(Buffer.from(new URLSearchParams(Buffer.from(body).toString("utf8")).get("payload") ?? "", "utf8"));
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString("utf8"));
  } catch {
    throw new CoregitError("InvalidRequest", "The delivery's payload is not JSON.");
  }
}
