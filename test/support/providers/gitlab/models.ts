// GitLab's JSON for people, projects, commits and branches.
import { type CommitObject, readCommit } from "../commit-object.ts";
import { diffFiles } from "../diff-files.ts";
import type { GitLabUser } from "./credentials.ts";
import type { GitLabProject } from "./project.ts";

export type Json = Readonly<Record<string, unknown>>;

/** GitLab's own form, with milliseconds and an offset. */
export const isoTime = (ms: number): string => new Date(ms).toISOString().replace("Z", "+00:00");

export function userJson({ id, username, isBot }: GitLabUser, siteUrl: string): Json {
  return {
    id,
    username,
    name: username,
    state: "active",
    locked: false,
    avatar_url: null,
    web_url: `${siteUrl}/${username}`,
    bot: isBot,
  };
}

export async function projectJson(project: GitLabProject, siteUrl: string, role: number): Promise<Json> {
  const url = `${siteUrl}/${project.fullPath}`;
  const access = role === 0 ? null : { access_level: role, notification_level: 3 };
  return {
    id: project.id,
    description: null,
    name: project.path,
    name_with_namespace: project.fullPath.split("/").join(" / "),
    path: project.path,
    path_with_namespace: project.fullPath,
    created_at: isoTime(project.createdAtMs),
    default_branch: (await project.git.isEmpty()) ? null : project.defaultBranch,
    tag_list: [],
    topics: [],
    ssh_url_to_repo: `git@gitlab.example.com:${project.fullPath}.git`,
    http_url_to_repo: `${url}.git`,
    web_url: url,
    readme_url: null,
    forks_count: 0,
    avatar_url: null,
    star_count: 0,
    last_activity_at: isoTime(project.createdAtMs),
    visibility: project.isPrivate ? "private" : "public",
    namespace: {
      id: 1,
      name: project.namespace,
      path: project.namespace,
      kind: "group",
      full_path: project.namespace,
      parent_id: null,
    },
    _links: {
      self: `${siteUrl}/api/v4/projects/${project.id}`,
      repo_branches: `${siteUrl}/api/v4/projects/${project.id}/repository/branches`,
    },
    empty_repo: await project.git.isEmpty(),
    archived: project.isArchived,
    repository_access_level: "enabled",
    permissions: { project_access: access, group_access: null },
  };
}

function commitTime(date: string): string {
  return date.replace("Z", "+00:00").replace(/:(\d\d)([+-]\d\d:\d\d)$/, ":$1.000$2");
}

export function commitJson(commit: CommitObject, project: GitLabProject, siteUrl: string): Json {
  return {
    id: commit.oid,
    short_id: commit.oid.slice(0, 8),
    created_at: commitTime(commit.committer.date),
    parent_ids: commit.parents,
    title: commit.message.split("\n")[0] ?? "",
    message: commit.message,
    author_name: commit.author.name,
    author_email: commit.author.email,
    authored_date: commitTime(commit.author.date),
    committer_name: commit.committer.name,
    committer_email: commit.committer.email,
    committed_date: commitTime(commit.committer.date),
    trailers: {},
    extended_trailers: {},
    web_url: `${siteUrl}/${project.fullPath}/-/commit/${commit.oid}`,
  };
}

/** With the numbers of lines, which cost a comparison. */
export async function commitWithStats(
  commit: CommitObject,
  project: GitLabProject,
  siteUrl: string,
  withStats: boolean,
): Promise<Json> {
  const json = { ...commitJson(commit, project, siteUrl), status: null, project_id: project.id, last_pipeline: null };
  if (!withStats) return json;
  const files = await diffFiles(project.git, commit.parents[0] ?? null, commit.oid);
  const additions = files.reduce((sum, file) => sum + file.additions, 0);
  const deletions = files.reduce((sum, file) => sum + file.deletions, 0);
  return { ...json, stats: { additions, deletions, total: additions + deletions } };
}

/** Null: there is no such commit. */
export async function branchJson(
  project: GitLabProject,
  name: string,
  oid: string,
  siteUrl: string,
  role: number,
): Promise<Json | null> {
  const commit = await readCommit(project.git, oid);
  if (commit === null) return null;
  const protection = project.protectionOf(name);
  return {
    name,
    commit: commitJson(commit, project, siteUrl),
    merged: false,
    protected: protection !== null,
    developers_can_push: protection !== null && protection.push !== null && protection.push <= 30,
    developers_can_merge: false,
    can_push: role >= (protection === null ? 30 : (protection.push ?? Number.POSITIVE_INFINITY)),
    default: name === project.defaultBranch,
    web_url: `${siteUrl}/${project.fullPath}/-/tree/${encodeURIComponent(name)}`,
  };
}
