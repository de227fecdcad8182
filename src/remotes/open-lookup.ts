// Which remotes can be looked up: those of GitHub and GitLab, with a credential that their APIs take or with none.
import type { DirectCredential } from "../domain/credential.ts";
import type { ApiSession } from "./api-session.ts";
import { findGitHubRepository } from "./github/lookup.ts";
import { findGitLabProject } from "./gitlab/lookup.ts";
import type { RemoteTarget } from "./remote.ts";
import { locateApi, projectName, type RemoteLocation } from "./remote-url.ts";
import { ApiLookup, type RepositoryLookup } from "./repository-lookup.ts";

/** Null: the remote's server has no numbers for repositories, or the credential is none for its API. Asks nothing. */
export function openLookup(
  target: RemoteTarget,
  location: RemoteLocation,
  openSession: (url: URL, signal: AbortSignal) => ApiSession,
): RepositoryLookup | null {
  const { provider, baseUrl, credential } = target;
  const url = locateApi(provider, baseUrl);
  const project = projectName(target, location);
  if (url === null || project === null) return null;
  const open = (signal: AbortSignal): ApiSession => openSession(url, signal);
  // GitHub takes no passwords: what stands in for one is a token.
  if (provider === "github") {
    return new ApiLookup({ find: findGitHubRepository, project, token: tokenOf(credential), openSession: open });
  }
  if (credential?.kind === "basic") return null;
  return new ApiLookup({ find: findGitLabProject, project, token: tokenOf(credential), openSession: open });
}

function tokenOf(credential: DirectCredential | null): string | null {
  if (credential === null) return null;
  return credential.kind === "token" ? credential.token : credential.password;
}
