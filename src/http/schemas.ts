// Parts of requests that several routes take.
import { z } from "zod";
import { parseOid } from "../domain/oid.ts";
import { checkBranchName } from "../domain/ref-name.ts";
import { SLUG_FORM } from "../domain/slug.ts";
import { branch, slug } from "../resources/fields.ts";

/** Longest page of any list. */
const MAX_LIMIT = 100;
const DEFAULT_LIMIT = 20;

export const namespaceName = z
  .string()
  .max(63)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, "must be the name of a namespace: lower-case letters, digits and '-'");

/** Keeps a list to one namespace. */
export const namespaceFilter = namespaceName.describe("Only those of this namespace.").optional();

export const repositoryAddress = z.object({
  namespace: namespaceName.default("default").describe("Namespace of the repository."),
  slug: slug().meta({ description: "Name of the repository in its namespace.", pattern: SLUG_FORM.source }),
});
export type RepositoryAddress = z.output<typeof repositoryAddress>;

/** How many entries an answer may have. */
export const pageLimit = ({ max, byDefault }: { readonly max: number; readonly byDefault: number }) =>
  z
    .string()
    .regex(/^\d{1,9}$/, "must be a whole number")
    .transform(Number)
    .refine((value) => value >= 1 && value <= max, `must be between 1 and ${max}`)
    .default(byDefault)
    .meta({
      description: "How many entries the answer may have.",
      document: { type: "integer", minimum: 1, maximum: max, default: byDefault },
    });

export const limit = pageLimit({ max: MAX_LIMIT, byDefault: DEFAULT_LIMIT });

/** A switch in a query; off unless it is `true`. */
export const flag = z
  .enum(["true", "false"])
  .transform((value) => value === "true")
  .default(false)
  .meta({ document: { type: "boolean", default: false } });

/** Where the page before ended. */
export const cursorText = z.string().describe("The `next_cursor` of the page before.");
export const cursor = cursorText.max(512).optional();

/** A branch, tag, ref name or commit id, as a caller may write it. */
export const revision = z
  .string()
  .min(1)
  .max(1000)
  .refine((name) => !name.includes("\0"), "must not hold a NUL character")
  .describe("A branch, tag, full ref name, or full or abbreviated commit id.");

/** A commit by its id, which may be abbreviated. */
export const commitId = z
  .string()
  .toLowerCase()
  .regex(/^[0-9a-f]{4,40}$/, "must be a commit id: 4 to 40 hexadecimal digits")
  .meta({ description: "Full or abbreviated id of a commit.", pattern: "^[0-9A-Fa-f]{4,40}$" });

/** Text that a person writes and the database keeps. */
export const plainText = z.string().regex(/^[^\p{Cc}\p{Cs}]*$/u, "must not hold control characters or halves of characters");
export const descriptionText = plainText.max(1024);
function byRulesOfGit(name: string, { addIssue }: z.core.$RefinementCtx<string>): void {
  const reason = checkBranchName(name);
  if (reason !== null) addIssue({ code: "custom", message: reason });
}

/** A branch that may be made. */
export const branchName = z.string().superRefine(byRulesOfGit);
/** One that a resource could name too. */
export const defaultBranchName = branch().superRefine(byRulesOfGit);
export const visibility = z.enum(["private", "public"]);

/** A whole object id. */
export const oid = z
  .string()
  .toLowerCase()
  .regex(/^[0-9a-f]{40}$/, "must be an object id: 40 hexadecimal digits")
  .transform(parseOid)
  .meta({ document: { type: "string", pattern: "^[0-9A-Fa-f]{40}$" } });

/** Makes a deletion a compare-and-swap. */
export const expectedSha = oid.describe("Only if the ref is there now.").optional();

/** A branch, tag or ref name in an address or a body; whether git takes it is for the answer to say. */
export const refName = z.string().min(1).max(1000);

/** An id of a row, as answers give it. */
export const rowId = z.string().regex(/^[a-z]+_[A-Za-z0-9]{1,64}$/, "must be an id that an earlier answer gave");
