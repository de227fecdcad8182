// RepoSync: one repository here, one remote, one direction.
import { z } from "zod";
import { SLUG_MAX_LENGTH, SLUG_REFUSED } from "../domain/slug.ts";
import { branch, duration, folder, glob, reference, remote, singleLine, slug } from "./fields.ts";
import { AGE_COLUMN, type KindDefinition, MESSAGE_COLUMN, READY_COLUMNS, type Resource } from "./kind.ts";
import { type RepoSyncStatus, repoSyncStatusSchema } from "./repo-sync-status.ts";
import { celMatches, type Rule, withRules } from "./rules.ts";

const PERCENTAGE = /^(?:100|[0-9]{1,2})%$/u;
const TEMPLATE = /^(?:[^{]|\{[^{]|\{\{(?:remote|branch|sha|shortSha|added|modified|deleted)\}\})*\{?$/u;

const maxDeletionsRule: Rule<number | string> = {
  rule: `type(self) == int ? self >= 0 : ${celMatches("string(self)", PERCENTAGE)}`,
  message: "must be a number of at least 0, or a percentage from 0% to 100%",
  holds: (self) => (typeof self === "number" ? self >= 0 : PERCENTAGE.test(self)),
};

const maxDeletions = () => withRules(z.union([z.int(), z.string()], { error: maxDeletionsRule.message }), [maxDeletionsRule]);

const messageTemplate = () =>
  withRules(z.string().min(1).max(4096), [
    {
      rule: celMatches("self", TEMPLATE),
      message:
        "knows only the placeholders {{remote}}, {{branch}}, {{sha}}, {{shortSha}}, {{added}}, {{modified}} and {{deleted}}",
      holds: (self) => TEMPLATE.test(self),
    },
  ]);

const commit = () =>
  z.strictObject({
    author: z
      .strictObject({
        name: singleLine(256).describe("Name of author and committer."),
        email: singleLine(256).describe("Their e-mail address."),
      })
      .optional()
      .describe("Author and committer of sync commits. Default: Coregit Sync."),
    messageTemplate: messageTemplate()
      .optional()
      .describe(
        "Message of sync commits. `{{remote}}`, `{{branch}}`, `{{sha}}`, `{{shortSha}}`, `{{added}}`, `{{modified}}` and `{{deleted}}` are filled in; trailers that name the origin are added.",
      ),
  });

export const repoSyncSpecSchema = z.strictObject({
  repository: slug()
    .optional()
    .describe(
      "Slug of the repository in this namespace; it is created when missing. Default: `metadata.name`. Cannot be changed.",
    ),
  connectionRef: reference()
    .optional()
    .describe(
      "The Connection with the provider, base URL and credentials. Without one the remote is read anonymously by plain git.",
    ),
  remote: remote().describe(
    "The repository elsewhere: `owner/repo` on GitHub, `group/sub/project` on GitLab; for provider `git` a URL, or a path below the Connection's `baseUrl`. A URL with credentials in it is refused.",
  ),
  direction: z
    .enum(["import", "export"])
    .default("import")
    .describe("`import` brings the remote here, `export` takes the repository there. Changing it starts a new baseline."),
  branch: branch()
    .optional()
    .describe(
      "Branch here. Default: the repository's default branch; for a repository that this sync creates, the branch that the remote's HEAD names.",
    ),
  remoteBranch: branch().optional().describe("Branch there. Default: the same name as `branch`."),
  autoSync: z
    .boolean()
    .default(true)
    .describe(
      "Sync on every push: an import by the provider's webhook, an export on every change of the branch, however it was made.",
    ),
  interval: duration(720, true)
    .default("5m")
    .describe("How often the remote is asked for news beside webhooks, ±10 %; `0s` turns it off. At least 1s, at most 720h."),
  timeout: duration(24, false)
    .default("10m")
    .describe("Longest time that one run may take; then it is ended with its child processes. At least 1s, at most 24h."),
  suspend: z.boolean().default(false).describe("While true nothing runs: no poll, no webhook, no trigger."),
  onDivergence: z
    .enum(["Merge", "Overwrite", "Fail"])
    .default("Merge")
    .describe(
      "What a run does when the target changed since the last sync: `Merge` keeps the target's own edits and stops on a path that both changed; `Overwrite` makes the target equal to the source; `Fail` stops. Each result is one commit on top: nothing is force-pushed.",
    ),
  maxDeletions: maxDeletions()
    .optional()
    .meta({ "x-kubernetes-int-or-string": true, maxLength: 4 })
    .describe(
      "A run that would delete more stops with `TooManyDeletions`: a number of files, or a percentage of the target's. A run that would delete everything because the source became empty is refused unless this is `100%`.",
    ),
  mode: z
    .enum(["Apply", "Plan"])
    .default("Apply")
    .describe("`Plan` computes what would change, reports it in `status.plan`, and writes nothing."),
  include: z.array(glob()).max(100).optional().describe("Globs of paths to sync, relative to the synced folder. Default: all."),
  exclude: z
    .array(glob())
    .max(100)
    .optional()
    .describe("Globs of paths to leave out of those. Unselected paths are never read, changed or deleted on the target."),
  path: folder().optional().describe("Folder here that is synced. Default: the root."),
  remotePath: folder().optional().describe("Folder there that is synced. Default: the root."),
  commit: commit().optional().describe("How sync commits look."),
  transport: z
    .enum(["auto", "api", "git"])
    .default("auto")
    .describe(
      "How an export reaches the remote: the provider's `api`, `git`, or the better of both for each plan. `api` is for exports with a Connection to GitHub or GitLab, and fails with `TransportUnsuited` on what that API cannot write.",
    ),
});

export type RepoSyncSpec = z.output<typeof repoSyncSpecSchema>;
export type RepoSync = Resource<"RepoSync", RepoSyncSpec, RepoSyncStatus>;

/** The slug of the repository that `resource` syncs. */
export function repositoryOf(resource: RepoSync): string {
  return resource.spec.repository ?? resource.metadata.name;
}

const CEL_SLUG = (self: string) => `(has(${self}.spec.repository) ? ${self}.spec.repository : ${self}.metadata.name)`;

export const repoSync: KindDefinition<RepoSync> = {
  kind: "RepoSync",
  plural: "reposyncs",
  singular: "reposync",
  shortName: "cgsync",
  description:
    "A RepoSync keeps a repository here and a repository on GitHub, GitLab or any git server in step, in one direction.",
  spec: repoSyncSpecSchema,
  status: repoSyncStatusSchema,
  rules: [
    {
      field: "metadata.name",
      rule: `has(self.spec.repository) || (size(self.metadata.name) <= ${SLUG_MAX_LENGTH} && !${celMatches("self.metadata.name", SLUG_REFUSED)})`,
      message: `cannot serve as the repository's slug: it is longer than ${SLUG_MAX_LENGTH} characters, ends in .git, or is a word of the API's routes; set spec.repository`,
      holds: ({ spec, metadata: { name } }) =>
        spec.repository !== undefined || (name.length <= SLUG_MAX_LENGTH && !SLUG_REFUSED.test(name)),
    },
    {
      field: "spec.transport",
      rule: "self.spec.transport != 'api' || (self.spec.direction == 'export' && has(self.spec.connectionRef))",
      message: "api is for a sync with direction export and a connectionRef, whose provider is github or gitlab",
      holds: ({ spec: { transport, direction, connectionRef } }) =>
        transport !== "api" || (direction === "export" && connectionRef !== undefined),
    },
  ],
  transitions: [
    {
      field: "spec.repository",
      rule: `${CEL_SLUG("self")} == ${CEL_SLUG("oldSelf")}`,
      message: "cannot be changed; create another RepoSync for another repository",
      holds: (self, oldSelf) => repositoryOf(self) === repositoryOf(oldSelf),
    },
  ],
  columns: [
    ...READY_COLUMNS,
    { name: "Direction", type: "string", jsonPath: ".spec.direction", description: "Import or export." },
    { name: "Remote", type: "string", jsonPath: ".spec.remote", description: "The repository elsewhere." },
    { name: "Branch", type: "string", jsonPath: ".status.branch", description: "The branch here." },
    { name: "SHA", type: "string", jsonPath: ".status.lastSyncedSha", description: "Source commit of the last success." },
    AGE_COLUMN,
    {
      name: "Repository",
      type: "string",
      jsonPath: ".status.repository",
      priority: 1,
      description: "Slug of the repository here.",
    },
    {
      name: "Last sync",
      type: "date",
      jsonPath: ".status.lastSyncedAt",
      priority: 1,
      description: "Time since the last success.",
    },
    MESSAGE_COLUMN,
  ],
};
