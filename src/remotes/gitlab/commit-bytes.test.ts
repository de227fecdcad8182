import { describe, expect, it } from "vitest";
import { signatureAt } from "../../domain/commit.ts";
import { encodeCommit, objectId } from "../../domain/object-codec.ts";
import { EMPTY_TREE, parseOid } from "../../domain/oid.ts";
import type { CommitPlan } from "../commit-api.ts";
import { type AnsweredCommit, commitBytes } from "./commit-bytes.ts";

const PARENT = parseOid("1".repeat(40));
const OTHER = parseOid("2".repeat(40));
const ada = { name: "Ada", email: "ada@example.com", timestamp: 1_795_369_200, timezone: "+0530" };
const grace = { name: "Gräce", email: "grace@example.com", timestamp: 1_795_369_261, timezone: "-0100" };
const message = "Export\n\nCoregit-Sync: sync_1\n";
const plan: CommitPlan = {
  branch: "main",
  expected: { commit: PARENT, tree: EMPTY_TREE },
  isEmptyRemote: false,
  changes: new Map(),
  tree: OTHER,
  message,
  signature: signatureAt(ada, 0),
  isAuthorDeclared: true,
  blobs: { size: async () => 0, read: async () => new Uint8Array() },
};
const made = encodeCommit({ tree: OTHER, parents: [PARENT], author: ada, committer: grace, message });
const answer: AnsweredCommit = {
  id: objectId("commit", made),
  message,
  author_name: "Ada",
  author_email: "ada@example.com",
  authored_date: "2026-11-22T23:10:00.000+05:30",
  committer_name: "Gräce",
  committer_email: "grace@example.com",
  committed_date: "2026-11-22T16:41:01.000-01:00",
};

const textOf = (described: AnsweredCommit) => Buffer.from(commitBytes(described, plan) ?? []).toString();

describe("the bytes of a commit that GitLab describes", () => {
  it("are those that have its id, in the zones of its people", () => {
    expect(textOf(answer)).toBe(Buffer.from(made).toString());
  });

  it("are found though the answer's message has lost its last line feed", () => {
    expect(textOf({ ...answer, message: message.trimEnd() })).toBe(Buffer.from(made).toString());
  });

  it.each<[what: string, answer: AnsweredCommit, plan: CommitPlan]>([
    ["of another tree", answer, { ...plan, tree: EMPTY_TREE }],
    ["of another parent", answer, { ...plan, expected: { commit: OTHER, tree: EMPTY_TREE } }],
    ["of another second", { ...answer, committed_date: "2026-11-22T16:41:02.000-01:00" }, plan],
    ["without a date", { ...answer, authored_date: null }, plan],
    ["with a date that is none", { ...answer, authored_date: "yesterday" }, plan],
    ["with a person who cannot stand in a commit", { ...answer, author_name: "A <b>" }, plan],
    ["without an id", { ...answer, id: undefined }, plan],
  ])("%s are not known", (_, described, planned) => {
    expect(commitBytes(described, planned)).toBeNull();
  });
});
