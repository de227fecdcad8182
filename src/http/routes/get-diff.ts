import type { IncomingHttpHeaders } from "node:http";
import { z } from "zod";
import { EMPTY_TREE, type Oid } from "../../domain/oid.ts";
import type { RepositoryReader, RepositoryStore } from "../../repositories/store.ts";
import type { AnswerAmong } from "../answers/answer-of.ts";
import { diffAnswer } from "../answers/comparison.ts";
import { entityTag, isNotModified } from "../conditional.ts";
import { findRepository } from "../find-repository.ts";
import { presentChanges } from "../present/present-change.ts";
import { REVALIDATED } from "../raw-file.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { commitId, flag, repositoryAddress, revision } from "../schemas.ts";

/** Files that are described one by one; about 300 KB of JSON. */
export const MAX_FILES = 1_000;
/** A patch is held in memory until it is known to be whole. */
const MAX_PATCH_BYTES = 10 * 1024 * 1024;

const format = z.enum(["patch", "json"]).default("patch");
const PATCH = "text/x-patch; charset=utf-8";
const answers = { 200: { json: diffAnswer, bytes: [PATCH] }, 304: {} } as const;

export const getDiff = (store: RepositoryStore): Route =>
  defineRepositoryRoute({
    name: "getDiff",
    tag: "Reading",
    summary: "The patch between two revisions",
    description: "From one revision's files to another's, or with `merge_base` from where the two parted.",
    method: "GET",
    path: "/diff",
    access: "read",
    params: repositoryAddress,
    query: z.strictObject({
      base: revision,
      head: revision,
      merge_base: flag.describe("Compare from where the two parted."),
      format,
    }),
    answers,
    problems: ["RefNotFound", "UnrelatedHistories", "AnswerTooLarge", "Timeout"],
    async answer({ params, query, headers, signal }) {
      const reader = store.reader(await findRepository(store, params));
      const [base, head] = await Promise.all([reader.resolveCommit(query.base), reader.resolveCommit(query.head)]);
      const from = query.merge_base ? await reader.comparisons.mergeBase(base, head, signal) : base;
      const commits = { base_sha: from, head_sha: head };
      return await answerDiff(reader, { from, to: head, format: query.format, commits }, { headers, signal });
    },
  });

export const getCommitDiff = (store: RepositoryStore): Route =>
  defineRepositoryRoute({
    name: "getCommitDiff",
    tag: "Reading",
    summary: "The patch of a commit",
    description: "What it changed in the files of its first parent.",
    method: "GET",
    path: "/commits/:sha/diff",
    access: "read",
    params: repositoryAddress.extend({ sha: commitId }),
    query: z.strictObject({ format }),
    answers,
    problems: ["RefNotFound", "AnswerTooLarge", "Timeout"],
    async answer({ params, query, headers, signal }) {
      const reader = store.reader(await findRepository(store, params));
      const { oid, parents } = await reader.readCommit(await reader.resolveCommit(params.sha));
      const [parent = null] = parents;
      const commits = { base_sha: parent, head_sha: oid };
      const range = { from: parent ?? EMPTY_TREE, to: oid };
      return await answerDiff(reader, { ...range, format: query.format, commits }, { headers, signal });
    },
  });

type Asked = {
  readonly from: Oid;
  readonly to: Oid;
  readonly format: z.output<typeof format>;
  readonly commits: { readonly base_sha: Oid | null; readonly head_sha: Oid };
};

async function answerDiff(
  { comparisons }: RepositoryReader,
  asked: Asked,
  { headers, signal }: { readonly headers: IncomingHttpHeaders; readonly signal: AbortSignal },
): Promise<AnswerAmong<typeof answers>> {
  const tag = entityTag(`${asked.from}-${asked.to}-${asked.format}`);
  const cached = { ...REVALIDATED, etag: tag };
  if (isNotModified(headers, tag)) return { status: 304, headers: cached, bytes: null };
  if (asked.format === "json") {
    const changes = presentChanges(await comparisons.files(asked, MAX_FILES, signal));
    return { status: 200, headers: cached, body: { ...asked.commits, ...changes } };
  }
  const patch = await comparisons.patch(asked, MAX_PATCH_BYTES, signal);
  const described = { ...cached, "content-type": PATCH, "content-length": patch.byteLength };
  return { status: 200, headers: described, bytes: patch };
}
