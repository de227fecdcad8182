import { z } from "zod";

export const deletedAnswer = z.strictObject({ deleted: z.literal(true) });
export const DELETED = { deleted: true } as const;
