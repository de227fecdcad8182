import { z } from "zod";
import { EMPTY_TREE } from "../../domain/oid.ts";
import type { Commit, RepositoryReader, RepositoryStore } from "../../repositories/store.ts";
import { commitWithTreeAnswer } from "../answers/commit.ts";
import { findRepository } from "../find-repository.ts";
import { presentCommitWithTree } from "../present/present-commit.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { commitId, flag, repositoryAddress } from "../schemas.ts";

const query = z.strictObject({ stats: flag.describe("Also count what changed.") });
/** Files whose lines are counted. */
const MAX_COUNTED_FILES = 10_000;

export const getCommit = (store: RepositoryStore): Route =>
  defineRepositoryRoute({
    name: "getCommit",
    tag: "Commits",
    summary: "A commit by its id",
    description: "Full or abbreviated; with `stats` also what it changed against its first parent.",
    method: "GET",
    path: "/commits/:sha",
    access: "read",
    params: repositoryAddress.extend({ sha: commitId }),
    query,
    answers: { 200: commitWithTreeAnswer },
    problems: ["RefNotFound", "Timeout"],
    async answer({ params, query: asked, signal }) {
      const reader = store.reader(await findRepository(store, params));
      const commit = await reader.readCommit(await reader.resolveCommit(params.sha));
      const body = presentCommitWithTree(commit);
      if (!asked.stats) return { status: 200, body };
      return { status: 200, body: { ...body, stats: await readStats(reader, commit, signal) } };
    },
  });

async function readStats(reader: RepositoryReader, { oid, parents }: Commit, signal: AbortSignal) {
  const range = { from: parents[0] ?? EMPTY_TREE, to: oid };
  const { files, total } = await reader.comparisons.files(range, MAX_COUNTED_FILES, signal);
  const sum = (count: (file: (typeof files)[number]) => number) => files.reduce((all, file) => all + count(file), 0);
  const lines = { additions: sum(({ additions }) => additions), deletions: sum(({ deletions }) => deletions) };
  return { files_changed: total, ...lines, truncated: total > files.length };
}
