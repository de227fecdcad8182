// Folders and files at a commit.
import { z } from "zod";
import { count, mode, pathFields, sha } from "./fields.ts";

export const treeEntry = z
  .strictObject({
    name: z.string(),
    ...pathFields,
    type: z.enum(["blob", "tree", "commit"]).describe("`commit` is a submodule; a symbolic link is a `blob` of mode `120000`."),
    mode,
    sha,
    size: count.exactOptional().describe("Bytes; of blobs only."),
  })
  .meta({ id: "TreeEntry" });

export const treeAnswer = z.strictObject({
  ref: z.string(),
  commit_sha: sha.nullable().describe("null: the repository has no commits."),
  ...pathFields,
  sha,
  entries: z.array(treeEntry),
  truncated: z.boolean(),
});

const content = {
  size: count,
  encoding: z.enum(["utf-8", "base64"]),
  content: z.string(),
};

export const blobAnswer = z.strictObject({ sha, ...content });
export const fileAnswer = z.strictObject({ sha, ...pathFields, mode, commit_sha: sha.nullable(), ...content });
