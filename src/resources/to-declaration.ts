// From resources to the declarations that become rows. Owner and namespace come from whoever read the resource: a cluster
// or a folder.
import type { ConnectionDeclaration, RepositoryDeclaration, SyncDeclaration } from "../domain/declaration.ts";
import { parseDuration } from "../domain/duration.ts";
import type { DeletionLimit, Owner, SyncSpec } from "../domain/sync-spec.ts";
import type { Connection } from "./connection.ts";
import { REQUESTED_AT, REQUESTED_AT_MAX_LENGTH } from "./kind.ts";
import { type RepoSync, type RepoSyncSpec, repositoryOf } from "./repo-sync.ts";
import type { Repository } from "./repository.ts";
import { parseSecret, type SecretData } from "./secret-keys.ts";

/** Namespace of resources that name none. */
export const DEFAULT_NAMESPACE = "default";

/** What looking for a Connection's Secret gave. */
export type SecretLookup =
  | { readonly found: true; readonly data: SecretData }
  /** `message`: a sentence that names the Secret. */
  | { readonly found: false; readonly message: string };

export function toSyncDeclaration(resource: RepoSync, owner: Owner): SyncDeclaration {
  return {
    owner,
    namespace: namespaceOf(resource),
    name: resource.metadata.name,
    repository: repositoryOf(resource),
    connection: resource.spec.connectionRef?.name ?? null,
    spec: toSyncSpec(resource.spec),
    requestedAt: requestedAtOf(resource),
  };
}

/** The annotation may be any text: this much of it fits a status, and a NUL cannot be stored. */
function requestedAtOf({ metadata }: RepoSync): string | null {
  const text = metadata.annotations?.[REQUESTED_AT];
  return text?.slice(0, REQUESTED_AT_MAX_LENGTH).toWellFormed().replaceAll("\0", "\uFFFD") ?? null;
}

/** `secret` is null when the Connection names none. */
export function toConnectionDeclaration(resource: Connection, owner: Owner, secret: SecretLookup | null): ConnectionDeclaration {
  const { provider, baseUrl } = resource.spec;
  const name = resource.metadata.name;
  const base = { owner, namespace: namespaceOf(resource), name, label: name, provider, baseUrl: baseUrl ?? null };
  const none = { credential: null, caPem: null };
  if (secret === null) return { ...base, ...none, error: null };
  if (!secret.found) return { ...base, ...none, error: { code: "SecretMissing", message: secret.message } };
  const parsed = parseSecret(secret.data, provider);
  if (!parsed.ok) return { ...base, ...none, error: { code: "SecretInvalid", message: parsed.message } };
  return { ...base, credential: parsed.credential, caPem: parsed.caPem, error: null };
}

export function toRepositoryDeclaration(resource: Repository, owner: Owner): RepositoryDeclaration {
  return { owner, namespace: namespaceOf(resource), slug: resource.metadata.name, ...resource.spec };
}

export function namespaceOf(resource: { readonly metadata: { readonly namespace?: string | undefined } }): string {
  return resource.metadata.namespace ?? DEFAULT_NAMESPACE;
}

export function toSyncSpec(spec: RepoSyncSpec): SyncSpec {
  const { remote, direction, autoSync, suspend, onDivergence, mode, transport } = spec;
  return {
    remote,
    direction,
    branch: spec.branch ?? null,
    remoteBranch: spec.remoteBranch ?? null,
    autoSync,
    intervalMs: parseDuration(spec.interval) ?? 0,
    timeoutMs: parseDuration(spec.timeout) ?? 0,
    suspend,
    onDivergence,
    maxDeletions: toDeletionLimit(spec.maxDeletions),
    mode,
    include: spec.include ?? [],
    exclude: spec.exclude ?? [],
    path: spec.path ?? "",
    remotePath: spec.remotePath ?? "",
    commitAuthor: spec.commit?.author ?? null,
    messageTemplate: spec.commit?.messageTemplate ?? null,
    transport,
  };
}

function toDeletionLimit(limit: number | string | undefined): DeletionLimit | null {
  if (limit === undefined) return null;
  return typeof limit === "number" ? { count: limit } : { percent: Number.parseInt(limit, 10) };
}
