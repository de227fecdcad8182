// Fields and what is wrong with them: one table for the reader of manifests and for a real API server, which must agree.

export type FieldCase = {
  readonly title: string;
  readonly kind: "RepoSync" | "Connection" | "Repository";
  readonly spec: Readonly<Record<string, unknown>>;
  readonly name?: string;
  /** The field that is refused and a part of the message, or null when the resource is good. */
  readonly refused: { readonly field: string; readonly message: string } | null;
};

const A = "a".repeat(40);

function sync(title: string, fields: Readonly<Record<string, unknown>>, refused: FieldCase["refused"] = null): FieldCase {
  return { title, kind: "RepoSync", spec: { remote: "octocat/website", ...fields }, refused };
}

function bad(field: string, message: string): FieldCase["refused"] {
  return { field: `spec.${field}`, message };
}

const goodRemotes = [
  "octocat/website",
  "group/sub/project",
  "https://git.example.com/~me/x.git",
  "file:///srv/git/x",
  "a.b/c..d",
];
const badRemotes: readonly (readonly [remote: string, message: string])[] = [
  ["https://me:secret@example.com/x", "user name or password"],
  ["https://token@example.com/x", "user name or password"],
  ["https://example.com/x?private_token=1", "query or a fragment"],
  ["https://example.com/x#y", "query or a fragment"],
  ["git@example.com:x/y", "must be a path such as owner/repo"],
  ["ssh://example.com/x", "must be a path such as owner/repo"],
  ["octocat/web site", "spaces"],
  ["octocat/web\nsite", "control characters"],
  ["octocat\\website", "backslashes"],
  ["/octocat/website", "must not start with"],
  ["--upload-pack=x", "must not start with"],
  ["octocat/../website", "as a component"],
];

const goodBranches = ["main", "feature/x.y", "ünïcode", "release-1.0", "a@b", "v1.lockfile"];
const badBranches = [
  "refs/heads/main",
  "-main",
  "/main",
  "main/",
  "a//b",
  "a..b",
  "a b",
  "a~1",
  "a^",
  "a:b",
  "a?b",
  "a*b",
  "a[b",
  "a\\b",
  "a@{b",
  "@",
  "HEAD",
  ".a",
  "a/.b",
  "a.lock",
  "a.lock/b",
  "a.",
  A,
  A.toUpperCase(),
  `${A}${A.slice(0, 24)}`,
];

const goodFolders = ["", "docs", "docs/api", ".github/workflows", "a..b"];
const badFolders = ["/docs", "docs/", "docs//api", "..", "docs/../api", "./docs", "docs/.", "a\tb"];

const goodDurations = ["0s", "1s", "1000ms", "5m", "1h30m", "1.5h", "720h"];
const badDurations: readonly (readonly [text: string, message: string])[] = [
  ["5", "must be a duration"],
  ["5 m", "must be a duration"],
  ["-5m", "must be a duration"],
  ["1d", "must be a duration"],
  ["999ms", "must be between"],
  ["721h", "must be between"],
  ["9999999h", "must be between"],
];

export const FIELD_CASES: readonly FieldCase[] = [
  ...goodRemotes.map((remote) => sync(`remote ${JSON.stringify(remote)} is good`, { remote })),
  ...badRemotes.map(([remote, message]) =>
    sync(`remote ${JSON.stringify(remote)} is refused`, { remote }, bad("remote", message)),
  ),
  ...goodBranches.map((branch) => sync(`branch ${branch} is good`, { branch, remoteBranch: branch })),
  ...badBranches.map((branch) =>
    sync(`branch ${JSON.stringify(branch)} is refused`, { branch }, bad("branch", "a branch name that git")),
  ),
  sync("remoteBranch has the rules of branch", { remoteBranch: "a..b" }, bad("remoteBranch", "a branch name that git")),
  ...goodFolders.map((path) => sync(`path ${JSON.stringify(path)} is good`, { path, remotePath: path })),
  ...badFolders.map((path) => sync(`path ${JSON.stringify(path)} is refused`, { path }, bad("path", "must "))),
  sync("remotePath has the rules of path", { remotePath: "../x" }, bad("remotePath", "must be a folder")),
  ...goodDurations.map((interval) => sync(`interval ${interval} is good`, { interval })),
  ...badDurations.map(([interval, message]) => sync(`interval ${interval} is refused`, { interval }, bad("interval", message))),
  sync("timeout 24h is good", { timeout: "24h" }),
  sync("timeout 0s is refused: a run must end", { timeout: "0s" }, bad("timeout", "must be between 1s and 24h")),
  sync("timeout 25h is refused", { timeout: "25h" }, bad("timeout", "must be between 1s and 24h")),
  ...[0, 10, "0%", "5%", "100%"].map((maxDeletions) => sync(`maxDeletions ${maxDeletions} is good`, { maxDeletions })),
  ...[-1, "101%", "5", "-1%", "5.5%"].map((maxDeletions) =>
    sync(
      `maxDeletions ${JSON.stringify(maxDeletions)} is refused`,
      { maxDeletions },
      bad("maxDeletions", "must be a number of at least 0"),
    ),
  ),
  sync("include and exclude take globs", { include: ["**/*.md"], exclude: ["drafts/**", "!x"] }),
  sync("include is relative", { include: ["docs/**", "/etc"] }, bad("include[1]", "must be relative")),
  sync("exclude has no control characters", { exclude: ["a\u0001"] }, bad("exclude[0]", "control characters")),
  sync("a slug is good", { repository: "my_repo-1.x" }),
  ...["My-Repo", "-a", "a/b", "a "].map((repository) =>
    sync(`repository ${JSON.stringify(repository)} is refused`, { repository }, bad("repository", "must consist of")),
  ),
  ...["x.git", "commits", "sync", "a..b"].map((repository) =>
    sync(`repository ${repository} is refused`, { repository }, bad("repository", "must not end in .git")),
  ),
  sync("connectionRef names an object", { connectionRef: { name: "github" } }),
  sync(
    "connectionRef.name is an object's name",
    { connectionRef: { name: "Git Hub" } },
    bad("connectionRef.name", "must be the name"),
  ),
  sync("a commit author and template are good", {
    commit: {
      author: { name: "Bot", email: "bot@example.com" },
      messageTemplate: "Sync {{remote}} {x} {{shortSha}}\n\n{{added}}",
    },
  }),
  sync(
    "an author cannot forge a header",
    { commit: { author: { name: "a\nb", email: "x@y" } } },
    bad("commit.author.name", "line breaks"),
  ),
  sync("an author's name is not blank", { commit: { author: { name: " ", email: "x@y" } } }, bad("commit.author.name", "blank")),
  sync(
    "an unknown placeholder is refused",
    { commit: { messageTemplate: "{{author}}" } },
    bad("commit.messageTemplate", "placeholders"),
  ),
  {
    title: "a name that is a word of the API's routes needs spec.repository",
    kind: "RepoSync",
    name: "commits",
    spec: { remote: "a/b" },
    refused: { field: "metadata.name", message: "cannot serve as the repository's slug" },
  },
  {
    title: "with spec.repository such a name is good",
    kind: "RepoSync",
    name: "commits",
    spec: { remote: "a/b", repository: "other" },
    refused: null,
  },
  { title: "an anonymous connection of provider git is good", kind: "Connection", spec: { provider: "git" }, refused: null },
  {
    title: "a connection to GitHub is good",
    kind: "Connection",
    spec: { provider: "github", baseUrl: "https://github.example.com/api/v3", secretRef: { name: "token" } },
    refused: null,
  },
  {
    title: "provider github needs a Secret",
    kind: "Connection",
    spec: { provider: "github" },
    refused: bad("secretRef", "is required for the providers github and gitlab"),
  },
  ...(
    [
      ["https://u:p@example.com", "user name or password"],
      ["ftp://example.com", "must be a URL that starts with"],
      ["https:///x", "must be a URL that starts with"],
      ["https://example.com/?a=b", "query"],
    ] as const
  ).map(
    ([baseUrl, message]): FieldCase => ({
      title: `baseUrl ${baseUrl} is refused`,
      kind: "Connection",
      spec: { provider: "git", baseUrl },
      refused: bad("baseUrl", message),
    }),
  ),
  { title: "a repository with defaults is good", kind: "Repository", spec: {}, refused: null },
  {
    title: "a default branch has the rules of branch",
    kind: "Repository",
    spec: { defaultBranch: "a b" },
    refused: bad("defaultBranch", "a branch name that git"),
  },
  {
    title: "protected branches are names and globs",
    kind: "Repository",
    spec: { protectedBranches: ["main", "v*/**"] },
    refused: null,
  },
  ...["a b", "refs/heads/x", "-x", "a..b", "x/", "[ab]", ""].map(
    (pattern): FieldCase => ({
      title: `the protected branch ${JSON.stringify(pattern)} is refused`,
      kind: "Repository",
      spec: { protectedBranches: ["main", pattern] },
      refused: bad("protectedBranches[1]", pattern === "" ? "must not be empty" : "must be a branch name or a glob"),
    }),
  ),
  {
    title: "more than 50 protected branches are refused",
    kind: "Repository",
    spec: { protectedBranches: Array.from({ length: 51 }, (_, index) => `b${index}`) },
    refused: bad("protectedBranches", "at most 50"),
  },
  {
    title: "a repository's name is its slug",
    kind: "Repository",
    name: "x.git",
    spec: {},
    refused: { field: "metadata.name", message: "cannot serve as a slug" },
  },
];
