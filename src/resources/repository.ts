// Repository: a git repository stored here, declared rather than made by a sync or the API.
import { z } from "zod";
import { SLUG_MAX_LENGTH, SLUG_REFUSED } from "../domain/slug.ts";
import { conditions } from "./condition.ts";
import { branch, generation, oid, protectedBranches } from "./fields.ts";
import { AGE_COLUMN, type KindDefinition, MESSAGE_COLUMN, READY_COLUMNS, type Resource } from "./kind.ts";
import { celMatches } from "./rules.ts";

export const repositorySpecSchema = z.strictObject({
  defaultBranch: branch().default("main").describe("The branch that HEAD names."),
  protectedBranches: protectedBranches()
    .default([])
    .describe(
      "Branches that are never deleted and only move forward: names, or globs such as `release/*`, where `*` stays within a component and `**` does not.",
    ),
  description: z.string().max(1024).default("").describe("One line on what it holds."),
  visibility: z.enum(["private", "public"]).default("private").describe("`public`: anybody who reaches the server may read it."),
  deletionPolicy: z
    .enum(["Retain", "Delete"])
    .default("Retain")
    .describe("What happens to the stored repository when this resource is deleted."),
});

export const repositoryStatusSchema = z.object({
  observedGeneration: generation().optional().describe("The `metadata.generation` that the status speaks of."),
  conditions: conditions(),
  gitUrl: z.string().max(2048).optional().describe("Where to clone it from."),
  headSha: oid().optional().describe("Head of the default branch."),
  sizeBytes: z.int().min(0).optional().describe("Stored bytes of its packs."),
});

export type RepositorySpec = z.output<typeof repositorySpecSchema>;
export type RepositoryStatus = z.output<typeof repositoryStatusSchema>;
export type Repository = Resource<"Repository", RepositorySpec, RepositoryStatus>;

export const repository: KindDefinition<Repository> = {
  kind: "Repository",
  plural: "repositories",
  singular: "repository",
  shortName: "cgrepo",
  description:
    "A Repository is a git repository stored here. It is optional: a RepoSync creates the repository that it needs. Its slug is `metadata.name`.",
  spec: repositorySpecSchema,
  status: repositoryStatusSchema,
  rules: [
    {
      field: "metadata.name",
      rule: `size(self.metadata.name) <= ${SLUG_MAX_LENGTH} && !${celMatches("self.metadata.name", SLUG_REFUSED)}`,
      message: `cannot serve as a slug: it is longer than ${SLUG_MAX_LENGTH} characters, ends in .git, or is a word of the API's routes`,
      holds: ({ metadata: { name } }) => name.length <= SLUG_MAX_LENGTH && !SLUG_REFUSED.test(name),
    },
  ],
  transitions: [],
  columns: [
    ...READY_COLUMNS,
    { name: "Branch", type: "string", jsonPath: ".spec.defaultBranch", description: "The default branch." },
    { name: "SHA", type: "string", jsonPath: ".status.headSha", description: "Head of the default branch." },
    { name: "Size", type: "integer", jsonPath: ".status.sizeBytes", description: "Stored bytes." },
    AGE_COLUMN,
    { name: "Git URL", type: "string", jsonPath: ".status.gitUrl", priority: 1, description: "Where to clone it from." },
    MESSAGE_COLUMN,
  ],
};
