import { z } from "zod";
import { IGNORED_REASONS } from "../../domain/webhook-delivery.ts";

/** The sync is due. */
export const acceptedDeliveryAnswer = z.strictObject({ accepted: z.literal(true) });

export const ignoredDeliveryAnswer = z.strictObject({
  ignored: z.literal(true),
  reason: z.enum(IGNORED_REASONS).describe("Why the delivery changes nothing."),
});
