// An export to a repository of the GitHub double.
import type { Credential } from "../../src/domain/credential.ts";
import type { GitHubRepository } from "./providers/github/repository.ts";
import type { GitHubDouble } from "./providers/github/start.ts";
import type { RecordedRequest } from "./providers/recording.ts";
import { type ExportPlace, type Files, README, type ServedRemote, serveRemote } from "./served-remote.ts";

export type ServedGitHubOptions = {
  /** Files of the remote's first commit. Default: a README, so that it is not empty. Null: empty. */
  readonly files?: Files | null;
  /** Default: a classic token with all scopes. */
  readonly credential?: (repository: GitHubRepository) => Credential;
  readonly isPrivate?: boolean;
};

export type ServedGitHub = ServedRemote & {
  readonly remote: GitHubRepository;
  /** Commit of the remote's main branch. */
  head(): Promise<string>;
  /** Requests to the API so far, git's not counted. */
  apiCalls(): readonly RecordedRequest[];
  /** Those of them that are no GET. */
  apiWrites(): readonly RecordedRequest[];
};

let made = 0;

export async function serveGitHub(
  place: ExportPlace,
  github: GitHubDouble,
  options: ServedGitHubOptions = {},
): Promise<ServedGitHub> {
  made += 1;
  const name = `gh-${made}`;
  const { files = README, isPrivate = true } = options;
  const remote = await github.addRepository(`octocat/${name}`, { isPrivate, ...(files === null ? {} : { files }) });
  const served = await serveRemote(place, {
    name,
    provider: "github",
    baseUrl: github.url,
    credential: options.credential?.(remote) ?? { kind: "token", token: github.addToken({ user: "octocat" }) },
    remote: () => remote.fullName,
    git: remote.git,
  });
  const apiCalls = () => github.requests.filter(({ route }) => route === null || !route.startsWith("git "));
  return {
    ...served,
    remote,
    head: async () => (await remote.git.ref("refs/heads/main")) ?? "",
    apiCalls,
    apiWrites: () => apiCalls().filter(({ method }) => method !== "GET"),
  };
}
