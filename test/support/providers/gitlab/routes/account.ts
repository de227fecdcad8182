// Who one is, what the token may, and what the server is.
import type { GitLabCall, GitLabRoute, RouteAnswer } from "../call.ts";
import { isoTime, userJson } from "../models.ts";
import { unauthorized } from "../refusals.ts";

async function getUser(call: GitLabCall): Promise<RouteAnswer> {
  const { user } = call.user();
  return { status: 200, json: { ...userJson(user, call.siteUrl), email: `${user.username}@example.com`, is_admin: false } };
}

async function getVersion(call: GitLabCall): Promise<RouteAnswer> {
  call.user(["api", "read_api", "read_user"]);
  return { status: 200, json: { version: call.world.version, revision: "0a1b2c3d4e5" } };
}

async function getMetadata(call: GitLabCall): Promise<RouteAnswer> {
  const { json } = await getVersion(call);
  const kas = { enabled: false, externalUrl: null, externalK8sProxyUrl: null, version: null };
  return { status: 200, json: { ...(json as object), kas, enterprise: call.world.version.endsWith("-ee") } };
}

/** Works with any scope; OAuth tokens are no access tokens and have none of this. */
async function getOwnToken(call: GitLabCall): Promise<RouteAnswer> {
  const { token } = call;
  if (token === null || token.kind === "oauth") throw unauthorized();
  const json = {
    id: token.id,
    name: token.name,
    description: null,
    revoked: token.isRevoked,
    created_at: isoTime(token.createdAtMs),
    scopes: [...token.scopes],
    user_id: token.user.id,
    last_used_at: isoTime(call.nowMs),
    active: true,
    expires_at: token.expiresAtMs === null ? null : isoTime(token.expiresAtMs).slice(0, 10),
  };
  return { status: 200, json };
}

/** Doorkeeper's, at the root of the site: access tokens of people, projects and groups are none of its own. */
async function getOAuthToken(call: GitLabCall): Promise<RouteAnswer> {
  const { token, nowMs } = call;
  if (token === null || token.kind !== "oauth") throw unauthorized();
  const scopes = [...token.scopes];
  const expiresIn = token.expiresAtMs === null ? null : Math.round((token.expiresAtMs - nowMs) / 1000);
  const json = {
    resource_owner_id: token.user.id,
    scope: scopes,
    expires_in: expiresIn,
    application: { uid: "0a1b2c" },
    created_at: Math.floor(token.createdAtMs / 1000),
    scopes,
    expires_in_seconds: expiresIn,
  };
  return { status: 200, json };
}

export const accountRoutes: readonly GitLabRoute[] = [
  { method: "GET", template: "/user", answer: getUser },
  { method: "GET", template: "/version", answer: getVersion },
  { method: "GET", template: "/metadata", answer: getMetadata },
  { method: "GET", template: "/personal_access_tokens/self", answer: getOwnToken },
  { method: "GET", template: "/oauth/token/info", answer: getOAuthToken },
];
