// What GitHub says about the caller's credential and about itself in the headers of each answer.
import type { GitHubToken } from "./credentials.ts";
import type { GitHubFlavour } from "./world.ts";

/** `2026-12-01 00:00:00 UTC` */
function expiryText(ms: number): string {
  return new Date(ms)
    .toISOString()
    .replace("T", " ")
    .replace(/\.\d+Z$/, " UTC");
}

export function tokenHeaders(token: GitHubToken | null, flavour: GitHubFlavour): Record<string, string> {
  const hasExpiry = token !== null && token.expiresAtMs !== null && token.kind !== "installation";
  return {
    "x-github-media-type": "github.v3; format=json",
    ...(token?.kind === "classic" ? { "x-oauth-scopes": [...token.scopes].join(", "), "x-accepted-oauth-scopes": "repo" } : {}),
    ...(hasExpiry ? { "github-authentication-token-expiration": expiryText(token.expiresAtMs ?? 0) } : {}),
    ...(flavour.kind === "enterprise" ? { "x-github-enterprise-version": flavour.version } : {}),
  };
}
