// Who a credential is at GitHub. Tokens of people are told by `/user` and its headers; an installation's token may not ask that
// and is told by GraphQL's viewer; an App is told by its installation.
import type { Octokit } from "octokit";
import type { AppCredential, Credential } from "../../domain/credential.ts";
import { CoregitError } from "../../domain/errors.ts";
import type { Account } from "../account.ts";
import { notTheApi } from "../api-failure.ts";
import type { ApiSession } from "../api-session.ts";
import { askAsApp, type InstallationTokens } from "./app-token.ts";
import { asking, openOctokit } from "./client.ts";

/** @throws CoregitError those of `Accounts.inspectCredential`. */
export function inspectGitHub(session: ApiSession, credential: Credential, tokens: InstallationTokens): Promise<Account> {
  if (credential.kind === "app") return inspectApp(session, credential, tokens);
  // GitHub takes no passwords: what stands in for one is a token.
  return inspectToken(session, credential.kind === "token" ? credential.token : credential.password);
}

async function inspectToken(session: ApiSession, token: string): Promise<Account> {
  const octokit = await openOctokit(session, token);
  try {
    const { data, headers } = await asking(session, () => octokit.rest.users.getAuthenticated());
    return {
      externalUsername: requireName(session, data?.login),
      scopes: scopesOf(headers["x-oauth-scopes"]),
      expiresAt: timeOf(headers["github-authentication-token-expiration"]),
    };
  } catch (error) {
    if (!(error instanceof CoregitError) || error.code !== "AccessDenied") throw error;
    return { externalUsername: await viewerOf(session, octokit, error), scopes: null, expiresAt: null };
  }
}

/** GitHub knows the token but keeps `/user` from it. @throws `denied` when it is nobody to GraphQL either. */
async function viewerOf(session: ApiSession, octokit: Octokit, denied: CoregitError): Promise<string> {
  const ask = () => octokit.graphql<{ readonly viewer?: { readonly login?: unknown } }>("{ viewer { login } }");
  const answer = await asking(session, ask).catch((error: unknown) => {
    throw error instanceof CoregitError && error.code === "AccessDenied" ? denied : error;
  });
  const login = answer?.viewer?.login;
  if (typeof login !== "string") throw denied;
  return login;
}

async function inspectApp(session: ApiSession, app: AppCredential, tokens: InstallationTokens): Promise<Account> {
  const installation_id = Number(app.installationId);
  const { data } = await askAsApp(session, app, ({ rest }) => rest.apps.getInstallation({ installation_id }));
  const slug = requireName(session, data?.app_slug);
  if (typeof data.suspended_at === "string")
    throw new CoregitError("AccessDenied", `The installation of the GitHub App ${slug} is suspended.`);
  await tokens.get(session, app);
  const scopes = Object.entries(data.permissions ?? {}).map(([name, level]) => `${name}:${level}`);
  return { externalUsername: `${slug}[bot]`, scopes: scopes.toSorted(), expiresAt: null };
}

function requireName(session: ApiSession, name: unknown): string {
  if (typeof name === "string" && name !== "") return name;
  throw notTheApi(session.url.host);
}

/** Classic tokens have the header, also without a scope; others do not. */
function scopesOf(header: string | undefined): readonly string[] | null {
  if (header === undefined) return null;
  return header.split(",").flatMap((scope) => (scope.trim() === "" ? [] : [scope.trim()]));
}

/** As `2026-12-01 00:00:00 UTC`. */
function timeOf(header: unknown): string | null {
  const ms = typeof header === "string" ? Date.parse(header) : Number.NaN;
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
}
