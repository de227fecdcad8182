import { z } from "zod";
import { count, managedBy, nextCursor, rowId, sha, time } from "./fields.ts";

export const repositoryAnswer = z
  .strictObject({
    id: rowId,
    namespace: z.string(),
    slug: z.string(),
    description: z.string(),
    visibility: z.enum(["private", "public"]),
    default_branch: z.string(),
    protected_branches: z.array(z.string()).describe("Names and globs of branches that are never deleted and only move forward."),
    managed_by: managedBy,
    head_sha: sha.nullable().describe("Head of the default branch; null: it has no commit."),
    size_bytes: count.describe("What is stored for it, in bytes."),
    created_at: time,
  })
  .meta({ id: "Repository" });

export const repositoriesAnswer = z.strictObject({ repositories: z.array(repositoryAnswer), next_cursor: nextCursor });
