// Which remotes have an API for commits: those of GitHub and GitLab, with a credential that their APIs take.
import type { ApiSession } from "./api-session.ts";
import type { CommitApi, CommitApiOptions } from "./commit-api.ts";
import { GitHubCommits } from "./github/commits.ts";
import { GitLabCommits } from "./gitlab/commits.ts";
import type { RemoteTarget } from "./remote.ts";
import { locateApi, projectName, type RemoteLocation } from "./remote-url.ts";

/** Null: the provider has none, or the credential is none for it. Asks nothing. */
export function openCommitApi(
  target: RemoteTarget,
  location: RemoteLocation,
  openSession: (url: URL, signal: AbortSignal, workMs?: number) => ApiSession,
): CommitApi | null {
  const { provider, baseUrl, credential } = target;
  const url = locateApi(provider, baseUrl);
  const project = projectName(target, location);
  if (url === null || project === null || credential === null) return null;
  const open: CommitApiOptions["openSession"] = (signal, workMs) => openSession(url, signal, workMs);
  if (provider === "github") {
    // GitHub takes no passwords: what stands in for one is a token.
    const token = credential.kind === "token" ? credential.token : credential.password;
    return new GitHubCommits({ project, token, openSession: open });
  }
  // With a user name goes what git takes and the API does not know, as a deploy token is.
  if (provider === "gitlab" && credential.kind === "token") {
    return new GitLabCommits({ project, token: credential.token, openSession: open });
  }
  return null;
}
