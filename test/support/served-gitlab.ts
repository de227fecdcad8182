// An export to a project of the GitLab double.
import type { GitLabScope, RoleName } from "./providers/gitlab/credentials.ts";
import type { GitLabProject } from "./providers/gitlab/project.ts";
import type { GitLabDouble } from "./providers/gitlab/start.ts";
import { type ExportPlace, type Files, README, type ServedRemote, serveRemote } from "./served-remote.ts";

export type ServedGitLabOptions = {
  /** Files of the remote's first commit. Default: a README, so that it is not empty. Null: empty. */
  readonly files?: Files | null;
  /** Default: `api`. */
  readonly scopes?: readonly GitLabScope[];
  /** Default: maintainer. */
  readonly role?: RoleName;
};

export type ServedGitLab = ServedRemote & { readonly remote: GitLabProject; readonly token: string };

let made = 0;

export async function serveGitLab(
  place: ExportPlace,
  gitlab: GitLabDouble,
  { files = README, scopes = ["api"], role = "maintainer" }: ServedGitLabOptions = {},
): Promise<ServedGitLab> {
  made += 1;
  const name = `gl-${made}`;
  const user = `dev-${made}`;
  const shape = { isPrivate: true, members: { [user]: role } };
  const remote = await gitlab.addProject(`group/sub.b/${name}.x`, files === null ? shape : { ...shape, files });
  const token = gitlab.addToken({ user, scopes });
  const served = await serveRemote(place, {
    name,
    provider: "gitlab",
    baseUrl: gitlab.url,
    credential: { kind: "token", token },
    remote: () => remote.fullPath,
    git: remote.git,
  });
  return { ...served, remote, token };
}
