// The bytes of a commit object made again from what GitHub tells of it. GitHub may have changed the message's end, the dates and
// the people, and may have signed; only bytes that hash to the commit's id are believed.
import { checkIdentity, type Signature } from "../../domain/commit.ts";
import { encodeCommit, objectId } from "../../domain/object-codec.ts";
import { isOid, type Oid } from "../../domain/oid.ts";

type Person = { readonly name?: unknown; readonly email?: unknown; readonly date?: unknown };

/** As much as is used of the answer to `POST /git/commits`, as unsure as answers are. */
export type AnsweredCommit = {
  readonly sha: string;
  readonly tree?: { readonly sha?: unknown };
  readonly parents?: readonly { readonly sha?: unknown }[];
  readonly author?: Person;
  readonly committer?: Person;
  readonly message?: unknown;
  readonly verification?: { readonly payload?: unknown; readonly signature?: unknown };
};

/** Null: none of the ways in which GitHub may have put it together gives this id. */
export function commitBytes(answer: AnsweredCommit, sentMessage: string): Uint8Array | null {
  const candidates = [...signedForms(answer), ...plainForms(answer, sentMessage)];
  return candidates.find((content) => objectId("commit", content) === answer.sha) ?? null;
}

function* plainForms(answer: AnsweredCommit, sentMessage: string): Generator<Uint8Array> {
  const tree = answer.tree?.sha;
  const parents = (answer.parents ?? []).map(({ sha }) => sha);
  if (!isId(tree) || !parents.every(isId)) return;
  const author = signatureOf(answer.author);
  const committer = signatureOf(answer.committer);
  if (author === null || committer === null) return;
  for (const message of [answer.message, sentMessage]) {
    if (typeof message === "string" && !message.includes("\0")) yield encodeCommit({ tree, parents, author, committer, message });
  }
}

/** A signature stands in the header, its lines indented; GitHub's own ends in an empty line, others do not. */
function* signedForms({ verification }: AnsweredCommit): Generator<Uint8Array> {
  const { payload, signature } = verification ?? {};
  if (typeof payload !== "string" || typeof signature !== "string") return;
  const end = payload.indexOf("\n\n");
  if (end < 0) return;
  for (const text of [signature, signature.trimEnd()]) {
    const header = `gpgsig ${text.replaceAll("\n", "\n ")}`;
    yield Buffer.from(`${payload.slice(0, end)}\n${header}${payload.slice(end)}`, "utf8");
  }
}

function isId(value: unknown): value is Oid {
  return typeof value === "string" && isOid(value);
}

function signatureOf(person: Person | undefined): Signature | null {
  const { name, email, date } = person ?? {};
  const ms = typeof date === "string" ? Date.parse(date) : Number.NaN;
  if (typeof name !== "string" || typeof email !== "string" || Number.isNaN(ms)) return null;
  if (checkIdentity({ name, email }) !== null) return null;
  return { name, email, timestamp: Math.floor(ms / 1000), timezone: "+0000" };
}
