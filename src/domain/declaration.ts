// What a resource, a manifest or the API declares, and what a sync shows in return. Data only; the port that turns
// declarations into rows is in src/sync.
import type { Credential } from "./credential.ts";
import type { Oid } from "./oid.ts";
import type { Owner, Provider, SyncSpec } from "./sync-spec.ts";

export type SyncDeclaration = {
  readonly owner: Owner;
  readonly namespace: string;
  readonly name: string;
  /** Slug in the same namespace; the repository is made when missing. */
  readonly repository: string;
  /** Connection in the same namespace and of the same owner kind, for the API the id of any connection; null: anonymous. */
  readonly connection: string | null;
  readonly spec: SyncSpec;
  /** A new value asks for a run now (the coregit.dev/requestedAt annotation); null: none. */
  readonly requestedAt?: string | null;
};

export type ConnectionDeclaration = {
  readonly owner: Owner;
  readonly namespace: string;
  readonly name: string;
  readonly label: string;
  readonly provider: Provider;
  readonly baseUrl: string | null;
  readonly caPem: string | null;
  /** null with `error` null: anonymous. */
  readonly credential: Credential | null;
  /** Why the declaration cannot be used (its Secret is missing or wrong), or null. */
  readonly error: { readonly code: "SecretMissing" | "SecretInvalid"; readonly message: string } | null;
};

export type RepositoryDeclaration = {
  readonly owner: Owner;
  readonly namespace: string;
  readonly slug: string;
  readonly defaultBranch: string;
  /** Names and globs, as in protected-branches.ts. */
  readonly protectedBranches: readonly string[];
  readonly description: string;
  readonly visibility: "private" | "public";
  readonly deletionPolicy: "Retain" | "Delete";
};

export type RunSummary = {
  readonly id: string;
  readonly status: "running" | "success" | "skipped" | "error";
  readonly message: string;
  readonly added: number;
  readonly modified: number;
  readonly deleted: number;
  readonly startedAt: string;
  readonly completedAt: string | null;
};

/** The webhook of an import with autoSync. */
export type WebhookStatus = {
  /** The provider's id; null: there is none. */
  readonly id: string | null;
  /** Where the provider delivers to; null: this server has no public URL. */
  readonly url: string | null;
  /** `Pending`: nobody has asked the provider yet. `Unavailable`: polling goes on; `message` says why. */
  readonly state: "Pending" | "Active" | "Unavailable";
  readonly message: string | null;
  /** To the minute. */
  readonly lastDeliveryAt: string | null;
};

/** What a sync shows: the row projected back. Times are ISO 8601 in UTC. */
export type SyncStatus = {
  readonly id: string;
  readonly owner: Owner;
  readonly namespace: string;
  readonly name: string;
  readonly repository: { readonly id: string; readonly namespace: string; readonly slug: string };
  readonly connection: string | null;
  readonly connectionId: string | null;
  readonly provider: Provider;
  readonly spec: SyncSpec;
  /** Moves with the declaration; `handledGeneration` is the one that the last finished run used. */
  readonly generation: number;
  readonly handledGeneration: number;
  readonly isRunning: boolean;
  readonly failures: number;
  readonly nextRunAt: string | null;
  /** When it was first declared. */
  readonly createdAt: string;
  readonly lastSyncedSha: Oid | null;
  readonly lastSyncedAt: string | null;
  readonly lastError: string | null;
  readonly lastErrorCode: string | null;
  readonly remoteSha: Oid | null;
  readonly localSha: Oid | null;
  readonly localBranch: string | null;
  readonly remoteBranch: string | null;
  readonly lastRun: RunSummary | null;
  /** null: it wants none, or nobody has looked since it was declared. */
  readonly webhook: WebhookStatus | null;
  readonly plan: {
    readonly added: number;
    readonly modified: number;
    readonly deleted: number;
    readonly paths: readonly string[];
  } | null;
};
