import { z } from "zod";
import type { Oid } from "../../domain/oid.ts";
import { branchRef } from "../../domain/ref-name.ts";
import type { Repository, RepositoryReader, RepositoryStore } from "../../repositories/store.ts";
import { decodeCommitCursor, encodeCommitCursor } from "../commit-cursor.ts";
import { findRepository } from "../find-repository.ts";
import { presentCommit } from "../present/present-commit.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { cursor, limit, repositoryAddress, revision } from "../schemas.ts";

const query = z.strictObject({ ref: revision.optional(), branch: revision.optional(), limit, cursor });

/** Commits from a branch, tag or commit id, newest first. A repository without commits has an empty list, not an error. */
export const listCommits = (store: RepositoryStore): Route =>
  defineRepositoryRoute({
    method: "GET",
    path: "/commits",
    params: repositoryAddress,
    query,
    async answer({ params, query: asked }) {
      const repository = await findRepository(store, params);
      const reader = store.reader(repository);
      const named = asked.ref ?? asked.branch;
      const ref = named ?? repository.defaultBranch;
      const start = await startOf(reader, repository, { named, cursor: asked.cursor });
      if (start === null) return { status: 200, body: { commits: [], ref, has_more: false, next_cursor: null } };
      // One more than asked for tells whether there is a next page.
      const found = await reader.log(start.from, { limit: asked.limit + 1, skip: start.skip });
      const hasMore = found.length > asked.limit;
      const next = hasMore ? encodeCommitCursor({ from: start.from, skip: start.skip + asked.limit }) : null;
      const commits = found.slice(0, asked.limit).map(presentCommit);
      return { status: 200, body: { commits, ref, has_more: hasMore, next_cursor: next } };
    },
  });

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
