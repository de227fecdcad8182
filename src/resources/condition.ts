// Conditions as metav1.Condition has them. Which conditions a state has is decided in `status.ts`.
import { z } from "zod";
import { generation, time } from "./fields.ts";

/** Longest message of a condition and of `lastError`; more says nothing that a person reads. */
export const MESSAGE_MAX_LENGTH = 1024;

export const conditionSchema = z.object({
  type: z.string().max(316).describe("`Ready` always; `Reconciling` and `Stalled` only while they are True."),
  status: z.enum(["True", "False", "Unknown"]).describe("Whether the condition holds."),
  observedGeneration: generation().optional().describe("The `metadata.generation` that the condition speaks of."),
  lastTransitionTime: time().describe("When the condition's status last changed."),
  reason: z.string().min(1).max(128).describe("One word for programs: an error code, or for example `Synced`."),
  message: z.string().max(MESSAGE_MAX_LENGTH).describe("One sentence for people."),
});

export type Condition = z.output<typeof conditionSchema>;

export const conditions = () =>
  z
    .array(conditionSchema)
    .max(8)
    .optional()
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"] })
    .describe("What state the object is in.");
