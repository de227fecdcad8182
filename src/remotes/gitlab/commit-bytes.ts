// The bytes of a commit object made again from what GitLab tells of it, which is all but the tree. With the planned tree and the
// expected parent in their places they are believed where they hash to the commit's id: then both are as planned, and nothing more
// has to be asked.
import { checkIdentity, type Signature } from "../../domain/commit.ts";
import { encodeCommit, objectId } from "../../domain/object-codec.ts";
import type { CommitPlan } from "../commit-api.ts";

/** As much as is used of a commit in an answer, as unsure as answers are. */
export type AnsweredCommit = {
  readonly id?: unknown;
  readonly parent_ids?: unknown;
  readonly message?: unknown;
  readonly author_name?: unknown;
  readonly author_email?: unknown;
  readonly authored_date?: unknown;
  readonly committer_name?: unknown;
  readonly committer_email?: unknown;
  readonly committed_date?: unknown;
};

/** Null: it is another commit than the plan's, or one that GitLab has signed. */
export function commitBytes(answer: AnsweredCommit, { tree, expected, message: sent }: CommitPlan): Uint8Array | null {
  const author = signatureOf(answer.author_name, answer.author_email, answer.authored_date);
  const committer = signatureOf(answer.committer_name, answer.committer_email, answer.committed_date);
  if (author === null || committer === null) return null;
  const parents = expected === null ? [] : [expected.commit];
  const candidates = [answer.message, sent]
    .filter((message) => typeof message === "string")
    .map((message) => encodeCommit({ tree, parents, author, committer, message }));
  return candidates.find((content) => objectId("commit", content) === answer.id) ?? null;
}

const ISO_ZONE = /(?:Z|([+-]\d\d):?(\d\d))$/;

/** From `2026-11-22T17:20:00.000+01:00`, as GitLab writes the times of a commit. */
function signatureOf(name: unknown, email: unknown, date: unknown): Signature | null {
  if (typeof name !== "string" || typeof email !== "string" || typeof date !== "string") return null;
  const [zone, hours = "+00", minutes = "00"] = ISO_ZONE.exec(date) ?? [];
  const timestamp = Math.floor(Date.parse(date) / 1000);
  if (zone === undefined || !(timestamp >= 0) || checkIdentity({ name, email }) !== null) return null;
  return { name, email, timestamp, timezone: `${hours}${minutes}` };
}
