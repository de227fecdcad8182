// A commit as the API shows it. The message is shown without the line breaks that git ends it with.
import type { Commit } from "../../repositories/store.ts";
import type { AnswerOf } from "../answers/answer-of.ts";
import type { commitAnswer, commitWithTreeAnswer } from "../answers/commit.ts";

export function presentCommit(commit: Commit): AnswerOf<typeof commitAnswer> {
  return {
    sha: commit.oid,
    message: messageOf(commit),
    author_name: commit.author.name,
    author_email: commit.author.email,
    timestamp: commit.author.timestamp,
    parents: commit.parents,
  };
}

export function presentCommitWithTree(commit: Commit): AnswerOf<typeof commitWithTreeAnswer> {
  const { sha, message, ...rest } = presentCommit(commit);
  return { sha, message, tree: commit.tree, ...rest };
}

function messageOf(commit: Commit): string {
  return commit.message.replace(/\n+$/, "");
}
