// Who a caller is to the GitLab double and what its token opens: scopes of the token first, then the role in the project.
import type { ProviderRequest } from "../answer.ts";
import { credentialOf } from "../recording.ts";
import type { GitLabProject } from "./project.ts";
import { forbidden, insufficientScope, invalidToken, notFound, unauthorized } from "./refusals.ts";

export type GitLabUser = { readonly id: number; readonly username: string; readonly isBot: boolean };

export type GitLabScope = "api" | "read_api" | "read_user" | "read_repository" | "write_repository" | "self_rotate";

export type GitLabToken = {
  readonly id: number;
  readonly value: string;
  readonly name: string;
  /** Project and group tokens act as a bot of their own. */
  readonly kind: "personal" | "project" | "group" | "oauth";
  readonly user: GitLabUser;
  readonly scopes: ReadonlySet<GitLabScope>;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
  isRevoked: boolean;
};

export const ROLE = { guest: 10, reporter: 20, developer: 30, maintainer: 40, owner: 50 } as const;
export type RoleName = keyof typeof ROLE;

/** Null: the caller sent none. @throws Refusal 401, in other words for unknown tokens than for ended ones. */
export function findToken(request: ProviderRequest, tokens: ReadonlyMap<string, GitLabToken>, nowMs: number): GitLabToken | null {
  const sent = credentialOf(request);
  if (sent === null || sent.secret === "") return null;
  const token = tokens.get(sent.secret);
  if (token === undefined) throw unauthorized();
  if (token.isRevoked) throw invalidToken("revoked");
  if (token.expiresAtMs !== null && token.expiresAtMs <= nowMs) throw invalidToken("expired");
  return token;
}

/** Any of the scopes will do. @throws Refusal 401 without a token, 403 without a scope. */
export function requireScope(token: GitLabToken | null, scopes: readonly GitLabScope[]): GitLabToken {
  if (token === null) throw unauthorized();
  if (!scopes.some((scope) => token.scopes.has(scope))) throw insufficientScope(scopes);
  return token;
}

export function roleIn(project: GitLabProject, token: GitLabToken | null): number {
  return token === null ? 0 : (project.members.get(token.user.username) ?? 0);
}

export function canSee(project: GitLabProject, token: GitLabToken | null): boolean {
  return !project.isPrivate || roleIn(project, token) > 0;
}

/** @throws Refusal 404 for who must not learn of the project, 403 for who may not do this. */
export function authorize(project: GitLabProject, token: GitLabToken | null, role: RoleName | "anybody"): void {
  if (!canSee(project, token)) throw notFound("Project");
  if (role === "anybody") return;
  if (token === null) throw unauthorized();
  if (roleIn(project, token) < ROLE[role]) throw forbidden();
}
