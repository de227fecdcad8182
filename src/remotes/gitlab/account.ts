// Who a token is at GitLab. Tokens of people, projects and groups tell their scopes and end to themselves whatever they may do;
// who they are only with a scope that reads the API. OAuth tokens are no such tokens: of them the site's OAuth server tells the same.
// Sources: https://docs.gitlab.com/api/personal_access_tokens/#retrieve-details-on-a-personal-access-token,
// https://docs.gitlab.com/api/oauth2/#retrieve-the-token-information
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
  const externalUsername = await unless(["AccessDenied"], readName(session, client));
  if (token === null) return { externalUsername, ...(await readOAuth(session, client)) };
  return { externalUsername, scopes: textsIn(token.scopes), expiresAt: timeOf(token.expires_at) };
}

/** Older names of the fields come first; newer servers have both. */
type OAuthToken = {
  readonly scope?: unknown;
  readonly scopes?: unknown;
  readonly expires_in?: unknown;
  readonly expires_in_seconds?: unknown;
};

async function readOAuth(session: ApiSession, client: GitLabClient): Promise<Pick<Account, "scopes" | "expiresAt">> {
  const answer = await unless(["AuthenticationFailed", "RemoteNotFound", "RemoteProtocol"], client.readOAuthToken());
  const { scope, scopes, expires_in, expires_in_seconds } = (answer ?? {}) as OAuthToken;
  const seconds = expires_in ?? expires_in_seconds;
  const isEnding = typeof seconds === "number" && seconds >= 0;
  return {
    scopes: textsIn(scope ?? scopes),
    expiresAt: isEnding ? new Date(session.now() + seconds * 1000).toISOString() : null,
  };
}

function textsIn(value: unknown): readonly string[] | null {
  return Array.isArray(value) ? value.map(String) : null;
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
