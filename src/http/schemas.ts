// Parts of requests that several routes take.
import { z } from "zod";
import { checkSlug } from "../domain/slug.ts";

/** Longest page of any list. */
const MAX_LIMIT = 100;
const DEFAULT_LIMIT = 20;

/** Names as Kubernetes has them: a namespace is one, and so is a resource's name. */
const dnsName = (maxLength: number) =>
  z
    .string()
    .max(maxLength)
    .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, "must be lower-case letters, digits, - and .");

export const namespaceName = dnsName(63);
export const resourceName = dnsName(253);

const slug = z.string().superRefine((value, context) => {
  const problem = checkSlug(value);
  if (problem !== null) context.addIssue({ code: "custom", message: problem });
});

export const repositoryAddress = z.object({ namespace: namespaceName.default("default"), slug });
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
