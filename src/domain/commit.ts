// Commits as data, and the identities in them. Responsible for what an identity may be; the bytes are object-codec's.
import type { Oid } from "./oid.ts";

export type Signature = {
  readonly name: string;
  readonly email: string;
  /** Seconds since the epoch, as git stores it. */
  readonly timestamp: number;
  /** Offset as git stores it, for example `+0000`. */
  readonly timezone: string;
};

export type Commit = {
  readonly oid: Oid;
  readonly tree: Oid;
  readonly parents: readonly Oid[];
  readonly author: Signature;
  readonly committer: Signature;
  readonly message: string;
};

/** A tag that is an object of its own. `target` may be a tag again. */
export type AnnotatedTag = {
  readonly oid: Oid;
  readonly target: Oid;
  readonly tagger: Signature | null;
  readonly message: string;
};

/** A commit that is still to be named: its oid follows from the rest. */
export type CommitContent = Omit<Commit, "oid">;

const MAX_IDENTITY_LENGTH = 256;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these bytes end an identity or a header line in a commit object.
const BREAKS_IDENTITY = /[<>\u0000-\u001f\u007f]/;

/** Why this name and address cannot stand in a commit, as the end of a sentence about the identity; null: they can. */
export function checkIdentity(identity: { readonly name: string; readonly email: string }): string | null {
  return checkIdentityText("name", identity.name) ?? checkIdentityText("email", identity.email);
}

function checkIdentityText(field: "name" | "email", text: string): string | null {
  if (text.trim() === "") return `has an empty ${field}`;
  if (text.length > MAX_IDENTITY_LENGTH) return `has more than ${MAX_IDENTITY_LENGTH} characters in its ${field}`;
  return BREAKS_IDENTITY.test(text) || !text.isWellFormed() ? `has < or > or a control character in its ${field}` : null;
}

/** A signature at a moment, in UTC. */
export function signatureAt(identity: { readonly name: string; readonly email: string }, epochMs: number): Signature {
  return { name: identity.name, email: identity.email, timestamp: Math.floor(epochMs / 1000), timezone: "+0000" };
}

/** Who made a commit and when; `at` null: when it is made. */
export type Authorship = {
  readonly name: string;
  readonly email: string;
  readonly at: Pick<Signature, "timestamp" | "timezone"> | null;
};

/** The signature of a commit that is made now. */
export function signatureOf(who: Authorship, nowMs: number): Signature {
  const now = signatureAt(who, nowMs);
  return who.at === null ? now : { ...now, ...who.at };
}
