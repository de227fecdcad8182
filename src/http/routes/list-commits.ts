import { z } from "zod";
import type { Oid } from "../../domain/oid.ts";
import { checkPath, toGitPath } from "../../domain/path-rules.ts";
import { branchRef } from "../../domain/ref-name.ts";
import type { GitPath } from "../../domain/tree.ts";
import type { PathHistory, Repository, RepositoryReader, RepositoryStore } from "../../repositories/store.ts";
import { commitsAnswer } from "../answers/commit.ts";
import { decodeCommitCursor, encodeCommitCursor } from "../commit-cursor.ts";
import { findRepository } from "../find-repository.ts";
import { presentCommit } from "../present/present-commit.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { cursor, limit, repositoryAddress, revision } from "../schemas.ts";

const query = z.strictObject({
  ref: revision.optional(),
  branch: revision.describe("The same as `ref`.").optional(),
  path: z
    .string()
    .superRefine((path, { addIssue }) => {
      const reason = checkPath(toGitPath(path));
      if (reason !== null) addIssue({ code: "custom", message: reason });
    })
    .transform(toGitPath)
    .describe("Only commits that changed the file or folder there.")
    .optional(),
  limit,
  cursor,
});

export const listCommits = (store: RepositoryStore): Route =>
  defineRepositoryRoute({
    name: "listCommits",
    tag: "Commits",
    summary: "Commits, newest first",
    description:
      "From a branch, tag or commit id; of a `path` those that changed the file or folder there. A repository without commits has an empty list, not an error.",
    method: "GET",
    path: "/commits",
    access: "read",
    params: repositoryAddress,
    query,
    answers: { 200: commitsAnswer },
    problems: ["RefNotFound"],
    async answer({ params, query: asked }) {
      const repository = await findRepository(store, params);
      const reader = store.reader(repository);
      const named = asked.ref ?? asked.branch;
      const ref = named ?? repository.defaultBranch;
      const start = await startOf(reader, repository, { named, cursor: asked.cursor });
      if (start === null) return { status: 200, body: { commits: [], ref, has_more: false, next_cursor: null } };
      const { commits, next } = await readPage(reader, start, asked);
      const nextCursor = next === null ? null : encodeCommitCursor({ from: start.from, skip: next });
      const body = { commits: commits.map(presentCommit), ref, has_more: next !== null, next_cursor: nextCursor };
      return { status: 200, body };
    },
  });

async function readPage(
  reader: RepositoryReader,
  { from, skip }: Start,
  { path, limit }: { readonly path?: GitPath | undefined; readonly limit: number },
): Promise<PathHistory> {
  if (path !== undefined) return await reader.logOfPath(from, { path, limit, skip });
  // One more than asked for tells whether there is a next page.
  const found = await reader.log(from, { limit: limit + 1, skip });
  return { commits: found.slice(0, limit), next: found.length > limit ? skip + limit : null };
}

type Start = { readonly from: Oid; readonly skip: number };

async function startOf(
  reader: RepositoryReader,
  repository: Repository,
  asked: { readonly named: string | undefined; readonly cursor: string | undefined },
): Promise<Start | null> {
  if (asked.cursor !== undefined) {
    const { from, skip } = decodeCommitCursor(asked.cursor);
    return { from: await reader.resolveCommit(from), skip };
  }
  if (asked.named !== undefined) return { from: await reader.resolveCommit(asked.named), skip: 0 };
  const head = await reader.readRef(branchRef(repository.defaultBranch));
  return head === null ? null : { from: head, skip: 0 };
}
