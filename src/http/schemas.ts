// Parts of requests that several routes take.
import { z } from "zod";
import { parseOid } from "../domain/oid.ts";
import { slug } from "../resources/fields.ts";

/** Longest page of any list. */
const MAX_LIMIT = 100;
const DEFAULT_LIMIT = 20;

export const namespaceName = z
  .string()
  .max(63)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, "must be the name of a namespace: lower-case letters, digits and '-'");

export const repositoryAddress = z.object({ namespace: namespaceName.default("default"), slug: slug() });
export type RepositoryAddress = z.output<typeof repositoryAddress>;

/** How many entries an answer may have. */
export const pageLimit = ({ max, byDefault }: { readonly max: number; readonly byDefault: number }) =>
  z
    .string()
    .regex(/^\d{1,9}$/, "must be a whole number")
    .transform(Number)
    .refine((value) => value >= 1 && value <= max, `must be between 1 and ${max}`)
    .default(byDefault);

export const limit = pageLimit({ max: MAX_LIMIT, byDefault: DEFAULT_LIMIT });

/** A switch in a query; off unless it is `true`. */
export const flag = z
  .enum(["true", "false"])
  .transform((value) => value === "true")
  .default(false);

export const cursor = z.string().max(512).optional();

/** A branch, tag, ref name or commit id, as a caller may write it. */
export const revision = z
  .string()
  .min(1)
  .max(1000)
  .refine((name) => !name.includes("\0"), "must not hold a NUL character");

/** A commit by its id, which may be abbreviated. */
export const commitId = z
  .string()
  .toLowerCase()
  .regex(/^[0-9a-f]{4,40}$/, "must be a commit id: 4 to 40 hexadecimal digits");

/** Text that a person writes and the database keeps. */
export const plainText = z.string().regex(/^[^\p{Cc}\p{Cs}]*$/u, "must not hold control characters or halves of characters");
export const descriptionText = plainText.max(1024);
export const visibility = z.enum(["private", "public"]);

/** A whole object id. */
export const oid = z
  .string()
  .toLowerCase()
  .regex(/^[0-9a-f]{40}$/, "must be an object id: 40 hexadecimal digits")
  .transform(parseOid);

/** A branch, tag or ref name in an address or a body; whether git takes it is for the answer to say. */
export const refName = z.string().min(1).max(1000);

/** An id of a row, as answers give it. */
export const rowId = z.string().regex(/^[a-z]+_[A-Za-z0-9]{1,64}$/, "must be an id that an earlier answer gave");
