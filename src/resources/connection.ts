// Connection: a provider, where it is, and the Secret that lets us in.
import { z } from "zod";
import { conditions } from "./condition.ts";
import { baseUrl, generation, reference, time } from "./fields.ts";
import { AGE_COLUMN, type KindDefinition, MESSAGE_COLUMN, READY_COLUMNS, type Resource } from "./kind.ts";

export const connectionSpecSchema = z.strictObject({
  provider: z.enum(["github", "gitlab", "git"]).describe("What kind of server the remotes are on. Cannot be changed."),
  baseUrl: baseUrl()
    .optional()
    .describe(
      "Where the server is: a GitHub Enterprise host or its `/api/v3`, the root of a GitLab instance; for provider `git` the URL that remotes are relative to. Default: github.com, gitlab.com, none. `http://` only on hosts of `COREGIT_ALLOWED_HOSTS`.",
    ),
  secretRef: reference()
    .optional()
    .describe(
      "The Secret with the keys `token`; or `username` and `password`; or `githubAppID`, `githubAppInstallationID` and `githubAppPrivateKey`; optionally `ca.crt` with PEM certificates to trust. Provider `git` may do without.",
    ),
});

export const connectionStatusSchema = z.object({
  observedGeneration: generation().optional().describe("The `metadata.generation` that the status speaks of."),
  conditions: conditions(),
  externalUsername: z.string().max(256).optional().describe("Who the provider says that the credential is."),
  scopes: z.array(z.string().max(128)).max(64).optional().describe("What the credential may do, where the provider tells."),
  expiresAt: time().optional().describe("When the credential ends, where the provider tells."),
});

export type ConnectionSpec = z.output<typeof connectionSpecSchema>;
export type ConnectionStatus = z.output<typeof connectionStatusSchema>;
export type Connection = Resource<"Connection", ConnectionSpec, ConnectionStatus>;

export const connection: KindDefinition<Connection> = {
  kind: "Connection",
  plural: "connections",
  singular: "connection",
  shortName: "cgconn",
  description:
    "A Connection says where a git provider is and which Secret lets Coregit in. RepoSyncs of its namespace refer to it.",
  spec: connectionSpecSchema,
  status: connectionStatusSchema,
  rules: [
    {
      field: "spec.secretRef",
      rule: "self.spec.provider == 'git' || has(self.spec.secretRef)",
      message: "is required for the providers github and gitlab",
      holds: ({ spec }) => spec.provider === "git" || spec.secretRef !== undefined,
    },
  ],
  transitions: [
    {
      field: "spec.provider",
      rule: "self.spec.provider == oldSelf.spec.provider",
      message: "cannot be changed; create another Connection",
      holds: (self, oldSelf) => self.spec.provider === oldSelf.spec.provider,
    },
  ],
  columns: [
    ...READY_COLUMNS,
    { name: "Provider", type: "string", jsonPath: ".spec.provider", description: "Kind of server." },
    { name: "Username", type: "string", jsonPath: ".status.externalUsername", description: "Who the credential is." },
    { name: "Expires", type: "string", jsonPath: ".status.expiresAt", description: "When the credential ends." },
    AGE_COLUMN,
    { name: "Base URL", type: "string", jsonPath: ".spec.baseUrl", priority: 1, description: "Where the server is." },
    MESSAGE_COLUMN,
  ],
};
