import { z } from "zod";
import { commitAnswer } from "./commit.ts";
import { count, mode, pathFields, sha } from "./fields.ts";

const changedFile = z
  .strictObject({
    ...pathFields,
    status: z.enum(["added", "modified", "deleted", "renamed", "typechanged"]),
    additions: count.describe("Lines; 0 in binary files."),
    deletions: count,
    binary: z.boolean(),
    mode: mode.nullable().describe("null: the file was deleted."),
    sha: sha.nullable(),
    old_path: z.string().exactOptional().describe("Where a renamed file was."),
    old_path_base64: z.string().exactOptional(),
  })
  .meta({ id: "ChangedFile" });

const changes = {
  files: z.array(changedFile),
  changed_files: count.describe("How many there are in all."),
  additions: count,
  deletions: count,
  truncated: z.boolean().describe("There are more than are shown."),
};

export const comparisonAnswer = z.strictObject({
  base_sha: sha,
  head_sha: sha,
  merge_base_sha: sha,
  ahead_by: count,
  behind_by: count,
  commits: z.array(commitAnswer),
  ...changes,
});

export const diffAnswer = z.strictObject({
  base_sha: sha.nullable().describe("null: a first commit, compared with nothing."),
  head_sha: sha,
  ...changes,
});
