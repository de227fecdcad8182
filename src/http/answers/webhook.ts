import { z } from "zod";
import { IGNORED_REASONS } from "../../domain/webhook-delivery.ts";

export const manualWebhookAnswer = z.strictObject({
  url: z.string().describe("Where the git server is to deliver pushes, as JSON by POST."),
  secret: z.string().describe("What it is to sign with: HMAC-SHA256 over the body."),
});

/** The sync is due. */
export const acceptedDeliveryAnswer = z.strictObject({ accepted: z.literal(true) });

export const ignoredDeliveryAnswer = z.strictObject({
  ignored: z.literal(true),
  reason: z.enum(IGNORED_REASONS).describe("Why the delivery changes nothing."),
});
