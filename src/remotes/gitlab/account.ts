// Who a token is at GitLab. Tokens of people, projects and groups tell their scopes and end to themselves whatever they may do;
// who they are only with a scope that reads the API. OAuth tokens are no such tokens and tell who they are alone.
import type { DirectCredential } from "../../domain/credential.ts";
import { CoregitError, type ErrorCode } from "../../domain/errors.ts";
import { type Account, UNKNOWN_ACCOUNT } from "../account.ts";
import { notTheApi } from "../api-failure.ts";
import type { ApiSession } from "../api-session.ts";
import { type GitLabClient, openGitLab } from "./client.ts";

/** @throws CoregitError those of `Accounts.inspectCredential`. */
export async function inspectGitLab(session: ApiSession, credential: DirectCredential): Promise<Account> {
  // A user name goes with what git takes and the API does not know, as a deploy token is.
  if (credential.kind === "basic") return UNKNOWN_ACCOUNT;
  const client = await openGitLab(session, credential.token);
  const token = await unless(["AuthenticationFailed", "RemoteNotFound"], client.tokens.show());
  if (token === null) return { ...UNKNOWN_ACCOUNT, externalUsername: await readName(session, client) };
  return {
    externalUsername: await unless(["AccessDenied"], readName(session, client)),
    scopes: Array.isArray(token.scopes) ? token.scopes.map(String) : null,
    expiresAt: timeOf(token.expires_at),
  };
}

async function readName(session: ApiSession, { users }: GitLabClient): Promise<string> {
  const user = await users.showCurrentUser();
  if (typeof user?.username === "string") return user.username;
  throw notTheApi(session.url.host);
}

/** null when it fails with one of these codes. */
async function unless<T>(codes: readonly ErrorCode[], answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof CoregitError && codes.includes(error.code)) return null;
    throw error;
  }
}

/** As `2026-12-01`: the token ends when that day begins, in UTC. */
function timeOf(date: unknown): string | null {
  const ms = typeof date === "string" ? Date.parse(date) : Number.NaN;
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
}
