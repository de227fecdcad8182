// GitHub's JSON for people and repositories, whole, because the double checks its answers against GitHub's own schema.
import type { GitHubUser } from "./credentials.ts";
import type { GitHubRepository } from "./repository.ts";

export type Json = Readonly<Record<string, unknown>>;

/** Where answers point: the API's root and the site's, without trailing slashes. */
export type Links = { readonly apiUrl: string; readonly siteUrl: string };

export const isoTime = (ms: number): string => new Date(ms).toISOString().replace(/\.\d{3}Z$/, "Z");

function urls(base: string, paths: Readonly<Record<string, string>>): Json {
  return Object.fromEntries(Object.entries(paths).map(([name, path]) => [name, `${base}${path}`]));
}

export function userJson({ id, login, type }: GitHubUser, { apiUrl, siteUrl }: Links): Json {
  return {
    login,
    id,
    node_id: `U_${Buffer.from(`user:${id}`).toString("base64url")}`,
    avatar_url: `${siteUrl}/avatars/u/${id}`,
    gravatar_id: "",
    html_url: `${siteUrl}/${login}`,
    type,
    user_view_type: "public",
    site_admin: false,
    ...urls(`${apiUrl}/users/${login}`, {
      url: "",
      followers_url: "/followers",
      following_url: "/following{/other_user}",
      gists_url: "/gists{/gist_id}",
      starred_url: "/starred{/owner}{/repo}",
      subscriptions_url: "/subscriptions",
      organizations_url: "/orgs",
      repos_url: "/repos",
      events_url: "/events{/privacy}",
      received_events_url: "/received_events",
    }),
  };
}

/** `GET /user`: of the token's own user, the fields that only the user sees among them. */
export function privateUserJson(user: GitHubUser, links: Links, createdAtMs: number): Json {
  return {
    ...userJson(user, links),
    user_view_type: "private",
    name: user.login,
    company: null,
    blog: "",
    location: null,
    email: null,
    hireable: null,
    bio: null,
    twitter_username: null,
    notification_email: null,
    public_repos: 0,
    public_gists: 0,
    followers: 0,
    following: 0,
    created_at: isoTime(createdAtMs),
    updated_at: isoTime(createdAtMs),
    private_gists: 0,
    total_private_repos: 0,
    owned_private_repos: 0,
    disk_usage: 0,
    collaborators: 0,
    two_factor_authentication: true,
    plan: { name: "free", space: 976_562_499, collaborators: 0, private_repos: 10_000 },
  };
}

const API_PATHS = {
  url: "",
  forks_url: "/forks",
  keys_url: "/keys{/key_id}",
  collaborators_url: "/collaborators{/collaborator}",
  teams_url: "/teams",
  hooks_url: "/hooks",
  issue_events_url: "/issues/events{/number}",
  events_url: "/events",
  assignees_url: "/assignees{/user}",
  branches_url: "/branches{/branch}",
  tags_url: "/tags",
  blobs_url: "/git/blobs{/sha}",
  git_tags_url: "/git/tags{/sha}",
  git_refs_url: "/git/refs{/sha}",
  trees_url: "/git/trees{/sha}",
  statuses_url: "/statuses/{sha}",
  languages_url: "/languages",
  stargazers_url: "/stargazers",
  contributors_url: "/contributors",
  subscribers_url: "/subscribers",
  subscription_url: "/subscription",
  commits_url: "/commits{/sha}",
  git_commits_url: "/git/commits{/sha}",
  comments_url: "/comments{/number}",
  issue_comment_url: "/issues/comments{/number}",
  contents_url: "/contents/{+path}",
  compare_url: "/compare/{base}...{head}",
  merges_url: "/merges",
  archive_url: "/{archive_format}{/ref}",
  downloads_url: "/downloads",
  issues_url: "/issues{/number}",
  pulls_url: "/pulls{/number}",
  milestones_url: "/milestones{/number}",
  notifications_url: "/notifications{?since,all,participating}",
  labels_url: "/labels{/name}",
  releases_url: "/releases{/id}",
  deployments_url: "/deployments",
} as const;

const COUNTS = [
  "forks",
  "forks_count",
  "stargazers_count",
  "watchers",
  "watchers_count",
  "open_issues",
  "open_issues_count",
  "network_count",
  "subscribers_count",
];

/** Without what depends on the caller. `size` in KiB, 0 while the repository is empty. */
export function repositoryJson(repository: GitHubRepository, links: Links, size: number): Json {
  const site = `${links.siteUrl}/${repository.fullName}`;
  const time = isoTime(repository.createdAtMs);
  return {
    id: repository.id,
    node_id: repository.nodeId,
    name: repository.name,
    full_name: repository.fullName,
    private: repository.isPrivate,
    visibility: repository.isPrivate ? "private" : "public",
    owner: userJson(repository.owner, links),
    html_url: site,
    clone_url: `${site}.git`,
    git_url: `${site.replace(/^https?/, "git")}.git`,
    ssh_url: `git@github.com:${repository.fullName}.git`,
    svn_url: site,
    description: null,
    homepage: null,
    language: null,
    mirror_url: null,
    license: null,
    fork: false,
    archived: repository.isArchived,
    disabled: false,
    is_template: false,
    allow_forking: true,
    web_commit_signoff_required: false,
    topics: [],
    has_issues: true,
    has_projects: true,
    has_downloads: true,
    has_wiki: true,
    has_pages: false,
    has_discussions: false,
    default_branch: repository.defaultBranch,
    size,
    created_at: time,
    updated_at: time,
    pushed_at: time,
    ...Object.fromEntries(COUNTS.map((name) => [name, 0])),
    ...urls(`${links.apiUrl}/repos/${repository.fullName}`, API_PATHS),
  };
}
