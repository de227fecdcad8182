import { z } from "zod";
import { type Authorship, checkIdentity } from "../../domain/commit.ts";
import { CHANGE_ACTIONS, CONTENT_ENCODINGS, readChanges, WRITABLE_MODES } from "../../domain/file-change.ts";
import type { Oid } from "../../domain/oid.ts";
import type { RepositoryStore } from "../../repositories/store.ts";
import { newCommitAnswer } from "../answers/commit.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { branchName, repositoryAddress } from "../schemas.ts";

/**
 * The largest file takes 62,914,560 bytes when each of its bytes is written as `\u00XX`, the longest spelling in JSON. A
 * thousand files fit when they have 48 KiB each in base64, or 64 KiB of text.
 */
const MAX_BODY_BYTES = 64 * 1024 * 1024;
const MAX_MESSAGE_LENGTH = 65_536;

const message = z
  .string()
  .max(MAX_MESSAGE_LENGTH)
  .refine((text) => text.trim() !== "", "must not be empty")
  .refine((text) => text.isWellFormed() && !text.includes("\0"), "must be valid Unicode without NUL");

const identity = z
  .strictObject({
    name: z.string(),
    email: z.string(),
    date: z.iso
      .datetime({ offset: true, error: "must be a date and time with its offset, as 2026-01-31T12:00:00Z" })
      .refine((text) => Date.parse(text) >= 0, "must not be before 1970")
      .optional(),
  })
  .superRefine((who, { addIssue }) => {
    const reason = checkIdentity(who);
    if (reason !== null) addIssue({ code: "custom", message: reason });
  });

const edit = z.strictObject({ old_string: z.string(), new_string: z.string() });

const change = z.strictObject({
  path: z.string(),
  action: z.enum(CHANGE_ACTIONS).default("put"),
  content: z.string().optional(),
  encoding: z.enum(CONTENT_ENCODINGS).optional(),
  mode: z.enum(WRITABLE_MODES).optional(),
  new_path: z.string().optional(),
  edits: z.array(edit).min(1, "must have at least one entry").optional(),
});

const body = z.strictObject({
  branch: branchName,
  message,
  author: identity,
  committer: identity.optional(),
  changes: z.array(change),
  parent_sha: z
    .string()
    .toLowerCase()
    .regex(/^[0-9a-f]{40}$/, "must be a commit id of 40 hexadecimal digits")
    .transform((sha) => sha as Oid)
    .optional(),
  base_branch: branchName.optional(),
  allow_empty: z.boolean().default(false),
});

const example = {
  branch: "main",
  message: "Add homepage",
  author: { name: "Agent", email: "agent@example.com" },
  changes: [
    { path: "index.html", content: "<h1>Hello</h1>" },
    { path: "old-file.txt", action: "delete" },
  ],
};

export const createCommit = (store: Pick<RepositoryStore, "commit">): Route =>
  defineRepositoryRoute({
    name: "createCommit",
    tag: "Commits",
    summary: "Commit many files at once",
    description:
      "On top of the branch as it is, or only when it is at `parent_sha`. All of it is written or nothing; a refusal names the entry.",
    method: "POST",
    path: "/commits",
    access: "write",
    params: repositoryAddress,
    body,
    maxBodyBytes: MAX_BODY_BYTES,
    example,
    answers: { 201: newCommitAnswer },
    problems: ["RefNotFound", "RefMoved", "RefNameRefused", "ChangeRefused", "PathRefused", "NothingToCommit", "CommitTooLarge"],
    async answer({ params, body: asked, principal, signal }) {
      const author = authorshipOf(asked.author);
      const request = {
        branch: asked.branch,
        baseBranch: asked.base_branch ?? null,
        parentSha: asked.parent_sha ?? null,
        message: asked.message.endsWith("\n") ? asked.message : `${asked.message}\n`,
        author,
        committer: asked.committer === undefined ? { ...author, at: null } : authorshipOf(asked.committer),
        changes: readChanges(asked.changes),
        allowEmpty: asked.allow_empty,
        actor: principal.actor,
      };
      const made = await store.commit(params, request, signal);
      const { sha, tree, parent, previous } = made;
      return { status: 201, body: { sha, tree_sha: tree, branch: made.branch, parent_sha: parent, previous_sha: previous } };
    },
  });

function authorshipOf({ name, email, date }: z.output<typeof identity>): Authorship {
  if (date === undefined) return { name, email, at: null };
  const timezone = /[+-]\d\d:\d\d$/.exec(date)?.[0].replace(":", "") ?? "+0000";
  return { name, email, at: { timestamp: Math.floor(Date.parse(date) / 1000), timezone } };
}
