import { z } from "zod";
import { count, gitTime, nextCursor, sha } from "./fields.ts";

/** A commit in a list. */
export const commitAnswer = z
  .strictObject({
    sha,
    message: z.string(),
    author_name: z.string(),
    author_email: z.string(),
    timestamp: gitTime,
    parents: z.array(sha),
  })
  .meta({ id: "Commit" });

const statistics = z.strictObject({
  files_changed: count,
  additions: count,
  deletions: count,
  truncated: z.boolean().describe("Lines were counted in the first 10,000 files only."),
});

/** One commit, asked for by its id. */
export const commitWithTreeAnswer = z.strictObject({
  ...commitAnswer.shape,
  tree: sha,
  stats: statistics.exactOptional().describe("Against the first parent; only with `stats=true`."),
});

export const commitsAnswer = z.strictObject({
  commits: z.array(commitAnswer),
  ref: z.string(),
  has_more: z.boolean(),
  next_cursor: nextCursor,
});

export const newCommitAnswer = z.strictObject({
  sha,
  tree_sha: sha,
  branch: z.string(),
  parent_sha: sha.nullable(),
  previous_sha: sha.nullable().describe("What the branch was before; null: this commit made it."),
});
