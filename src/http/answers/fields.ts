// Fields that answers of several resources share.
import { z } from "zod";

export const sha = z.string().regex(/^[0-9a-f]{40}$/);
/** ISO 8601 in UTC, as `Date.toISOString` writes it. */
export const time = z.iso.datetime();
export const count = z.int().min(0);
export const rowId = z.string();
/** Seconds since the epoch, as git stores times; before 1970 where somebody's clock was wrong. */
export const gitTime = z.int().describe("Seconds since the epoch.");
export const mode = z
  .string()
  .regex(/^\d{6}$/)
  .describe("File mode as git prints it.");
export const managedBy = z
  .string()
  .nullable()
  .describe("The resource or manifest that declares this and alone may change it; null: the API itself.");
export const nextCursor = z.string().nullable().describe("Give it as `cursor` for the next page; null: this was the last one.");
export const provider = z.enum(["github", "gitlab", "git"]);
export const direction = z.enum(["import", "export"]);

/** A path as it is shown, and its bytes where they are not UTF-8. */
export const pathFields = {
  path: z.string().describe("Escaped where its bytes are not UTF-8."),
  path_base64: z.string().exactOptional().describe("The path's bytes, only where they are not UTF-8."),
};
