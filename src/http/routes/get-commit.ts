import { z } from "zod";
import { EMPTY_TREE } from "../../domain/oid.ts";
import type { Commit, RepositoryReader, RepositoryStore } from "../../repositories/store.ts";
import { findRepository } from "../find-repository.ts";
import { presentCommitWithTree } from "../present/present-commit.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { repositoryAddress } from "../schemas.ts";

const sha = z
  .string()
  .toLowerCase()
  .regex(/^[0-9a-f]{4,40}$/, "must be a commit id: 4 to 40 hexadecimal digits");

const query = z.strictObject({ stats: z.enum(["true", "false"]).default("false") });
/** Files whose lines are counted. */
const MAX_COUNTED_FILES = 10_000;

/** One commit by its full or abbreviated id; with `stats` what it changed against its first parent. */
export const getCommit = (store: RepositoryStore): Route =>
  defineRepositoryRoute({
    method: "GET",
    path: "/commits/:sha",
    access: "read",
    params: repositoryAddress.extend({ sha }),
    query,
    async answer({ params, query: asked, signal }) {
      const reader = store.reader(await findRepository(store, params));
      const commit = await reader.readCommit(await reader.resolveCommit(params.sha));
      const body = presentCommitWithTree(commit);
      if (asked.stats === "false") return { status: 200, body };
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
