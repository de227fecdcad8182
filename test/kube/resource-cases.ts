// Resources that must be accepted or refused, the same by the API server (CEL, schema) and by this program's own reader.

export type ResourceCase = {
  readonly name: string;
  readonly kind: "RepoSync" | "Connection" | "Repository";
  readonly objectName?: string;
  readonly spec: Readonly<Record<string, unknown>>;
  /** Part of the message of the refusal; absent: accepted. */
  readonly refused?: string;
};

const sync = (spec: Readonly<Record<string, unknown>>) => ({ kind: "RepoSync" as const, spec: { remote: "acme/site", ...spec } });
const connection = (spec: Readonly<Record<string, unknown>>) => ({
  kind: "Connection" as const,
  spec: { provider: "github", secretRef: { name: "token" }, ...spec },
});
const repository = (spec: Readonly<Record<string, unknown>>) => ({ kind: "Repository" as const, spec });

const accepted: readonly ResourceCase[] = [
  { name: "the smallest RepoSync", ...sync({}) },
  {
    name: "a RepoSync with every field",
    ...sync({
      repository: "site.v2",
      connectionRef: { name: "github" },
      remote: "https://git.example.com/acme/site.git",
      direction: "export",
      branch: "release/1.0",
      remoteBranch: "main",
      autoSync: false,
      interval: "1h30m",
      timeout: "24h",
      suspend: true,
      onDivergence: "Fail",
      maxDeletions: "10%",
      mode: "Plan",
      include: ["docs/**", "*.md"],
      exclude: ["**/*.tmp"],
      path: "docs/api",
      remotePath: "",
      commit: { author: { name: "Ann", email: "ann@example.com" }, messageTemplate: "Sync {{shortSha}} of {{remote}} {x}" },
      transport: "git",
    }),
  },
  {
    name: "an export by the provider's API",
    ...sync({ transport: "api", direction: "export", connectionRef: { name: "github" } }),
  },
  { name: "an interval of zero", ...sync({ interval: "0s" }) },
  { name: "maxDeletions as a number", ...sync({ maxDeletions: 0 }) },
  { name: "maxDeletions of all", ...sync({ maxDeletions: "100%" }) },
  { name: "a group path", ...sync({ remote: "group/sub/project" }) },
  { name: "an IPv6 host", ...sync({ remote: "http://[2001:db8::1]:8080/a.git" }) },
  { name: "a name that is no slug when the slug is given", objectName: "commits", ...sync({ repository: "commits-mirror" }) },
  { name: "the smallest Connection", ...connection({}) },
  {
    name: "an anonymous Connection of plain git",
    kind: "Connection",
    spec: { provider: "git", baseUrl: "https://git.example.com" },
  },
  { name: "an empty Repository", ...repository({}) },
  {
    name: "a Repository with every field",
    ...repository({
      defaultBranch: "trunk",
      protectedBranches: ["main", "release/*"],
      description: "x",
      visibility: "public",
      deletionPolicy: "Delete",
    }),
  },
];

const branchMessage = "must be a branch name that git accepts";
const folderMessage = "must be a folder such as docs/api";
const durationMessage = "must be a duration such as 30s";

const refused: readonly ResourceCase[] = [
  { name: "a slug of upper-case letters", ...sync({ repository: "Site" }), refused: "must consist of lower-case letters" },
  {
    name: "a slug that is a route",
    ...sync({ repository: "commits" }),
    refused: "must not end in .git, contain '..', or be a word",
  },
  { name: "a slug that ends in .git", ...sync({ repository: "site.git" }), refused: "must not end in .git" },
  {
    name: "a name that cannot be a slug",
    objectName: "commits",
    ...sync({}),
    refused: "metadata.name cannot serve as the repository's slug",
  },
  {
    name: "a connection's name with a slash",
    ...sync({ connectionRef: { name: "a/b" } }),
    refused: "must be the name of an object",
  },
  { name: "a remote with a space", ...sync({ remote: "acme/my site" }), refused: "must not contain spaces" },
  {
    name: "a remote with credentials",
    ...sync({ remote: "https://ann:secret@example.com/a.git" }),
    refused: "must not contain a user name or password",
  },
  {
    name: "a remote with a query",
    ...sync({ remote: "https://example.com/a.git?x=1" }),
    refused: "must not have a query or a fragment",
  },
  { name: "a remote over ssh", ...sync({ remote: "ssh://example.com/a.git" }), refused: "or a URL that starts with https://" },
  { name: "a remote in scp form", ...sync({ remote: "git@example.com:a.git" }), refused: "must be a path such as owner/repo" },
  { name: "a remote that climbs", ...sync({ remote: "acme/../other" }), refused: "must not start with '/' or '-'" },
  {
    name: "a remote that looks like an option",
    ...sync({ remote: "--upload-pack=x" }),
    refused: "must not start with '/' or '-'",
  },
  { name: "no remote", kind: "RepoSync", spec: {}, refused: "remote" },
  { name: "an unknown direction", ...sync({ direction: "both" }), refused: "direction" },
  { name: "an unknown policy", ...sync({ onDivergence: "Force" }), refused: "onDivergence" },
  { name: "an unknown mode", ...sync({ mode: "Dry" }), refused: "mode" },
  { name: "an unknown transport", ...sync({ transport: "ssh" }), refused: "transport" },
  {
    name: "the provider's API for an import",
    ...sync({ transport: "api", connectionRef: { name: "github" } }),
    refused: "api is for a sync with direction export",
  },
  {
    name: "the provider's API without a connection",
    ...sync({ transport: "api", direction: "export" }),
    refused: "api is for a sync with direction export",
  },
  ...[
    "-x",
    "refs/heads/x",
    "HEAD",
    "a..b",
    "a b",
    "a.lock",
    "/a",
    "a/",
    ".a",
    "a~1",
    "0123456789012345678901234567890123456789",
  ].flatMap((branch) => [
    { name: `the branch ${branch}`, ...sync({ branch }), refused: branchMessage },
    { name: `the remote branch ${branch}`, ...sync({ remoteBranch: branch }), refused: branchMessage },
  ]),
  { name: "an interval without a unit", ...sync({ interval: "30" }), refused: durationMessage },
  { name: "an interval below a second", ...sync({ interval: "1ms" }), refused: "must be between 1s and 720h, or 0s" },
  { name: "an interval above 720h", ...sync({ interval: "721h" }), refused: "must be between 1s and 720h, or 0s" },
  { name: "a timeout without a unit", ...sync({ timeout: "x" }), refused: durationMessage },
  { name: "a timeout of zero", ...sync({ timeout: "0s" }), refused: "must be between 1s and 24h" },
  { name: "a negative maxDeletions", ...sync({ maxDeletions: -1 }), refused: "must be a number of at least 0" },
  { name: "maxDeletions of 101%", ...sync({ maxDeletions: "101%" }), refused: "must be a number of at least 0" },
  { name: "an absolute include", ...sync({ include: ["/docs"] }), refused: "must be relative" },
  { name: "an absolute exclude", ...sync({ exclude: ["/docs"] }), refused: "must be relative" },
  { name: "an include with a line break", ...sync({ include: ["a\nb"] }), refused: "must not contain control characters" },
  { name: "an exclude with a line break", ...sync({ exclude: ["a\nb"] }), refused: "must not contain control characters" },
  ...["/docs", "docs/", "a//b", "a/../b", "."].flatMap((folder) => [
    { name: `the path ${folder}`, ...sync({ path: folder }), refused: folderMessage },
    { name: `the remote path ${folder}`, ...sync({ remotePath: folder }), refused: folderMessage },
  ]),
  { name: "a path with a control character", ...sync({ path: "a\tb" }), refused: "must not contain control characters" },
  {
    name: "a remote path with a control character",
    ...sync({ remotePath: "a\tb" }),
    refused: "must not contain control characters",
  },
  {
    name: "an author with brackets",
    ...sync({ commit: { author: { name: "A <b>", email: "a@b.c" } } }),
    refused: "must not contain line breaks",
  },
  { name: "a blank author", ...sync({ commit: { author: { name: " ", email: "a@b.c" } } }), refused: "must not be blank" },
  {
    name: "an e-mail with a line break",
    ...sync({ commit: { author: { name: "A", email: "a@b\nc" } } }),
    refused: "must not contain line breaks",
  },
  { name: "a blank e-mail", ...sync({ commit: { author: { name: "A", email: " " } } }), refused: "must not be blank" },
  {
    name: "an unknown placeholder",
    ...sync({ commit: { messageTemplate: "{{user}}" } }),
    refused: "knows only the placeholders",
  },
  { name: "too many globs", ...sync({ include: Array.from({ length: 101 }, (_, i) => `f${i}`) }), refused: "include" },
  { name: "an unknown provider", ...connection({ provider: "bitbucket" }), refused: "provider" },
  { name: "no provider", kind: "Connection", spec: { secretRef: { name: "x" } }, refused: "provider" },
  {
    name: "GitHub without a Secret",
    kind: "Connection",
    spec: { provider: "github" },
    refused: "is required for the providers github and gitlab",
  },
  {
    name: "a Secret's name with a space",
    ...connection({ secretRef: { name: "a b" } }),
    refused: "must be the name of an object",
  },
  { name: "a base URL with a space", ...connection({ baseUrl: "https://a b" }), refused: "must not contain spaces" },
  {
    name: "a base URL with credentials",
    ...connection({ baseUrl: "https://a:b@example.com" }),
    refused: "must not contain a user name or password",
  },
  {
    name: "a base URL with a query",
    ...connection({ baseUrl: "https://example.com?x" }),
    refused: "must not have a query or a fragment",
  },
  {
    name: "a base URL that is none",
    ...connection({ baseUrl: "example.com" }),
    refused: "must be a URL that starts with https://",
  },
  { name: "a default branch that git refuses", ...repository({ defaultBranch: "a..b" }), refused: branchMessage },
  {
    name: "a protected branch that no branch can be",
    ...repository({ protectedBranches: ["refs/heads/*"] }),
    refused: "must be a branch name or a glob",
  },
  {
    name: "more than 50 protected branches",
    ...repository({ protectedBranches: Array.from({ length: 51 }, (_, index) => `b${index}`) }),
    refused: "protectedBranches",
  },
  {
    name: "a Repository whose name is a route",
    objectName: "commits",
    ...repository({}),
    refused: "metadata.name cannot serve as a slug",
  },
  { name: "an unknown visibility", ...repository({ visibility: "internal" }), refused: "visibility" },
  { name: "an unknown deletion policy", ...repository({ deletionPolicy: "Orphan" }), refused: "deletionPolicy" },
];

export const RESOURCE_CASES: readonly ResourceCase[] = [...accepted, ...refused];

type ImmutableCase = {
  readonly name: string;
  readonly kind: ResourceCase["kind"];
  readonly from: Readonly<Record<string, unknown>>;
  readonly to: Readonly<Record<string, unknown>>;
  readonly refused: string;
};

/** Changes that an update must not make. */
export const IMMUTABLE_CASES: readonly ImmutableCase[] = [
  {
    name: "the repository of a RepoSync",
    kind: "RepoSync",
    from: { remote: "acme/site", repository: "one" },
    to: { remote: "acme/site", repository: "two" },
    refused: "cannot be changed; create another RepoSync",
  },
  {
    name: "the provider of a Connection",
    kind: "Connection",
    from: { provider: "github", secretRef: { name: "x" } },
    to: { provider: "gitlab", secretRef: { name: "x" } },
    refused: "cannot be changed; create another Connection",
  },
];
