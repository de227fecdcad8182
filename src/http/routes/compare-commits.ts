import { z } from "zod";
import { CoregitError } from "../../domain/errors.ts";
import type { RepositoryReader, RepositoryStore } from "../../repositories/store.ts";
import { findRepository } from "../find-repository.ts";
import { presentChanges } from "../present/present-change.ts";
import { presentCommit } from "../present/present-commit.ts";
import { type Answer, defineRepositoryRoute, type Route } from "../route.ts";
import { pageLimit, repositoryAddress, revision } from "../schemas.ts";
import { MAX_FILES } from "./get-diff.ts";

const MAX_COMMITS = 100;
const limit = pageLimit({ max: MAX_COMMITS, byDefault: MAX_COMMITS });

/** Two revisions compared: `?base=&head=`. */
export const compareCommits = (store: RepositoryStore): Route =>
  defineRepositoryRoute({
    method: "GET",
    path: "/compare",
    access: "read",
    params: repositoryAddress,
    query: z.strictObject({ base: revision, head: revision, limit }),
    async answer({ params, query, signal }) {
      const reader = store.reader(await findRepository(store, params));
      return await answerComparison(reader, query, signal);
    },
  });

/** The same as `base...head` in the address, as git writes it. No ref name has two dots in it. */
export const compareRange = (store: RepositoryStore): Route =>
  defineRepositoryRoute({
    method: "GET",
    path: "/compare/:range*",
    access: "read",
    params: repositoryAddress.extend({ range: z.string().max(2003) }),
    query: z.strictObject({ limit }),
    async answer({ params, query, signal }) {
      const reader = store.reader(await findRepository(store, params));
      const revisions = z.tuple([revision, revision]).safeParse(params.range.split("..."));
      if (!revisions.success) {
        throw new CoregitError("InvalidRequest", "range in the address must be two revisions with three dots between them.", {
          details: { field: "range" },
        });
      }
      const [base, head] = revisions.data;
      return await answerComparison(reader, { base, head, limit: query.limit }, signal);
    },
  });

async function answerComparison(
  reader: RepositoryReader,
  asked: { readonly base: string; readonly head: string; readonly limit: number },
  signal: AbortSignal,
): Promise<Answer> {
  const [base, head] = await Promise.all([reader.resolveCommit(asked.base), reader.resolveCommit(asked.head)]);
  const limits = { maxCommits: asked.limit, maxFiles: MAX_FILES };
  const found = await reader.comparisons.compare({ base, head }, limits, signal);
  const commits = await Promise.all(found.commits.map(reader.readCommit));
  const { truncated, ...changes } = presentChanges(found.changed);
  const body = {
    base_sha: base,
    head_sha: head,
    merge_base_sha: found.mergeBase,
    ahead_by: found.aheadBy,
    behind_by: found.behindBy,
    commits: commits.map(presentCommit),
    ...changes,
    truncated: truncated || found.aheadBy > commits.length,
  };
  return { status: 200, body };
}
