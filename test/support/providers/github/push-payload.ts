// The payload of GitHub's `push` event.
// Source: https://docs.github.com/en/webhooks/webhook-events-and-payloads#push
import { ZERO_OID } from "../bare-repository.ts";
import { type PushedCommit, pushedCommits } from "../pushed-commits.ts";
import type { GitHubUser } from "./credentials.ts";
import { type Json, type Links, repositoryJson, userJson } from "./models.ts";
import type { GitHubRepository, RefMovement } from "./repository.ts";

/** GitHub lists no more commits than this. */
const MAX_COMMITS = 2_048;

function commitJson(commit: PushedCommit, site: string): Json {
  const person = ({ name, email }: { readonly name: string; readonly email: string }): Json => ({ name, email, username: name });
  return {
    id: commit.oid,
    tree_id: commit.tree,
    distinct: true,
    message: commit.message.replace(/\n$/, ""),
    timestamp: commit.committer.date,
    url: `${site}/commit/${commit.oid}`,
    author: person(commit.author),
    committer: person(commit.committer),
    added: commit.added,
    removed: commit.removed,
    modified: commit.modified,
  };
}

export async function pushPayload(
  repository: GitHubRepository,
  movement: RefMovement,
  actor: GitHubUser,
  links: Links,
): Promise<Json> {
  const site = `${links.siteUrl}/${repository.fullName}`;
  const { commits } = await pushedCommits(repository.git, movement, MAX_COMMITS);
  const shown = commits.map((commit) => commitJson(commit, site));
  const { ref, before, after } = movement;
  return {
    ref,
    before,
    after,
    repository: repositoryJson(repository, links, 1),
    pusher: { name: actor.login, email: `${actor.login}@users.noreply.github.com` },
    sender: userJson(actor, links),
    created: before === ZERO_OID,
    deleted: after === ZERO_OID,
    forced: movement.isForced,
    base_ref: null,
    compare: `${site}/compare/${before.slice(0, 12)}...${after.slice(0, 12)}`,
    commits: shown,
    head_commit: after === ZERO_OID ? null : (shown.at(-1) ?? null),
  };
}
