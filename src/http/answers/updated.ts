import { z } from "zod";

export const updatedAnswer = z.strictObject({ updated: z.literal(true) });
export const UPDATED = { updated: true } as const;
