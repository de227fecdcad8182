// Branches, tags and refs.
import { z } from "zod";
import { gitTime, nextCursor, sha } from "./fields.ts";

export const branchAnswer = z.strictObject({ name: z.string(), sha }).meta({ id: "Branch" });

export const branchesAnswer = z.strictObject({
  branches: z.array(branchAnswer),
  default_branch: z.string(),
  next_cursor: nextCursor,
});

const annotation = z.strictObject({
  sha: sha.describe("The tag's own object."),
  message: z.string(),
  tagger_name: z.string().nullable(),
  tagger_email: z.string().nullable(),
  timestamp: gitTime.nullable(),
});

export const tagAnswer = z
  .strictObject({
    name: z.string(),
    sha: sha.describe("The commit that the tag leads to."),
    annotation: annotation.nullable().describe("null: a lightweight tag."),
  })
  .meta({ id: "Tag" });

export const tagsAnswer = z.strictObject({ tags: z.array(tagAnswer), next_cursor: nextCursor });

export const refAnswer = z.strictObject({ ref: z.string().describe("Full name, `refs/heads/main`."), sha }).meta({ id: "Ref" });
export const refsAnswer = z.strictObject({ refs: z.array(refAnswer), next_cursor: nextCursor });

export const movedRefAnswer = z.strictObject({
  ...refAnswer.shape,
  previous_sha: sha.nullable().describe("Where the ref was; null: it was not there."),
});
