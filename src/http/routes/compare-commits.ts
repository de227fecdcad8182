import { z } from "zod";
import { CoregitError } from "../../domain/errors.ts";
import type { RepositoryReader, RepositoryStore } from "../../repositories/store.ts";
import type { AnswerOf } from "../answers/answer-of.ts";
import { comparisonAnswer } from "../answers/comparison.ts";
import { findRepository } from "../find-repository.ts";
import { presentChanges } from "../present/present-change.ts";
import { presentCommit } from "../present/present-commit.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { pageLimit, repositoryAddress, revision } from "../schemas.ts";
import { MAX_FILES } from "./get-diff.ts";

const MAX_COMMITS = 100;
const limit = pageLimit({ max: MAX_COMMITS, byDefault: MAX_COMMITS });

export const compareCommits = (store: RepositoryStore): Route =>
  defineRepositoryRoute({
    name: "compareCommits",
    tag: "Reading",
    summary: "Compare two revisions",
    description:
      "`files` is what changed from the merge base to the head, at most 1,000; `commits` what only the head has, newest first.",
    method: "GET",
    path: "/compare",
    access: "read",
    params: repositoryAddress,
    query: z.strictObject({ base: revision, head: revision, limit }),
    answers: { 200: comparisonAnswer },
    problems: ["RefNotFound", "UnrelatedHistories", "Timeout"],
    async answer({ params, query, signal }) {
      const reader = store.reader(await findRepository(store, params));
      return { status: 200, body: await readComparison(reader, query, signal) };
    },
  });

export const compareRange = (store: RepositoryStore): Route =>
  defineRepositoryRoute({
    name: "compareRange",
    tag: "Reading",
    summary: "Compare two revisions, given as git writes them",
    description: "No ref name has two dots in it, so `base...head` is clear.",
    method: "GET",
    path: "/compare/:range*",
    access: "read",
    params: repositoryAddress.extend({ range: z.string().max(2003).describe("`base...head`.") }),
    query: z.strictObject({ limit }),
    answers: { 200: comparisonAnswer },
    problems: ["RefNotFound", "UnrelatedHistories", "Timeout"],
    async answer({ params, query, signal }) {
      const reader = store.reader(await findRepository(store, params));
      const revisions = z.tuple([revision, revision]).safeParse(params.range.split("..."));
      if (!revisions.success) {
        throw new CoregitError("InvalidRequest", "range in the address must be two revisions with three dots between them.", {
          details: { field: "range" },
        });
      }
      const [base, head] = revisions.data;
      return { status: 200, body: await readComparison(reader, { base, head, limit: query.limit }, signal) };
    },
  });

async function readComparison(
  reader: RepositoryReader,
  asked: { readonly base: string; readonly head: string; readonly limit: number },
  signal: AbortSignal,
): Promise<AnswerOf<typeof comparisonAnswer>> {
  const [base, head] = await Promise.all([reader.resolveCommit(asked.base), reader.resolveCommit(asked.head)]);
  const limits = { maxCommits: asked.limit, maxFiles: MAX_FILES };
  const found = await reader.comparisons.compare({ base, head }, limits, signal);
  const commits = await Promise.all(found.commits.map(reader.readCommit));
  const { truncated, ...changes } = presentChanges(found.changed);
  return {
    base_sha: base,
    head_sha: head,
    merge_base_sha: found.mergeBase,
    ahead_by: found.aheadBy,
    behind_by: found.behindBy,
    commits: commits.map(presentCommit),
    ...changes,
    truncated: truncated || found.aheadBy > commits.length,
  };
}
