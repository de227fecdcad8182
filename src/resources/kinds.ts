// The kinds there are.
import { type Connection, connection } from "./connection.ts";
import { type RepoSync, repoSync } from "./repo-sync.ts";
import { type Repository, repository } from "./repository.ts";

export type AnyResource = RepoSync | Connection | Repository;

export const KINDS = { RepoSync: repoSync, Connection: connection, Repository: repository } as const;

export type KindName = keyof typeof KINDS;

export function isKindName(kind: unknown): kind is KindName {
  return typeof kind === "string" && Object.hasOwn(KINDS, kind);
}
