// Parts of requests that several routes take.
import { z } from "zod";
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

export const limit = z
  .string()
  .regex(/^\d{1,9}$/, "must be a whole number")
  .transform(Number)
  .refine((value) => value >= 1 && value <= MAX_LIMIT, `must be between 1 and ${MAX_LIMIT}`)
  .default(DEFAULT_LIMIT);

export const cursor = z.string().max(512).optional();

/** A branch, tag, ref name or commit id, as a caller may write it. */
export const revision = z.string().min(1).max(1000);

/** An id of a row, as answers give it. */
export const rowId = z.string().regex(/^[a-z]+_[A-Za-z0-9]{1,64}$/, "must be an id that an earlier answer gave");
