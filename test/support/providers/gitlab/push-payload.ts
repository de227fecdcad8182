// The payload of GitLab's push and tag push events. It has no flags for creation, deletion or force: 40 zeros say so.
// Source: https://docs.gitlab.com/user/project/integrations/webhook_events/#push-events
import { ZERO_OID } from "../bare-repository.ts";
import { pushedCommits } from "../pushed-commits.ts";
import type { GitLabUser } from "./credentials.ts";
import type { Json } from "./models.ts";
import type { GitLabProject, Movement } from "./project.ts";

/** GitLab lists no more commits than this. */
const MAX_COMMITS = 20;

export async function pushPayload(project: GitLabProject, movement: Movement, actor: GitLabUser, siteUrl: string): Promise<Json> {
  const { ref, before, after } = movement;
  const isTag = ref.startsWith("refs/tags/");
  const url = `${siteUrl}/${project.fullPath}`;
  const { commits, total } = await pushedCommits(project.git, movement, MAX_COMMITS);
  const addresses = { git_ssh_url: `git@gitlab.example.com:${project.fullPath}.git`, git_http_url: `${url}.git`, homepage: url };
  return {
    object_kind: isTag ? "tag_push" : "push",
    event_name: isTag ? "tag_push" : "push",
    before,
    after,
    ref,
    ref_protected: project.protectionOf(ref.replace("refs/heads/", "")) !== null,
    checkout_sha: after === ZERO_OID ? null : after,
    message: null,
    user_id: actor.id,
    user_name: actor.username,
    user_username: actor.username,
    user_email: null,
    user_avatar: null,
    project_id: project.id,
    project: {
      id: project.id,
      name: project.path,
      description: null,
      web_url: url,
      avatar_url: null,
      namespace: project.namespace,
      visibility_level: project.isPrivate ? 0 : 20,
      path_with_namespace: project.fullPath,
      default_branch: project.defaultBranch,
      ci_config_path: null,
      url: addresses.git_ssh_url,
      ssh_url: addresses.git_ssh_url,
      http_url: addresses.git_http_url,
      ...addresses,
    },
    commits: commits.map((commit) => ({
      id: commit.oid,
      message: commit.message,
      title: commit.message.split("\n")[0] ?? "",
      timestamp: commit.committer.date,
      url: `${url}/-/commit/${commit.oid}`,
      author: { name: commit.author.name, email: "[REDACTED]" },
      added: commit.added,
      modified: commit.modified,
      removed: commit.removed,
    })),
    total_commits_count: total,
    push_options: {},
    repository: {
      name: project.path,
      url: addresses.git_ssh_url,
      description: null,
      visibility_level: project.isPrivate ? 0 : 20,
      ...addresses,
    },
  };
}
