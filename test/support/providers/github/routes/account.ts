// Who one is, what is left of the budget, and the tokens of Apps.
import { knowSecret } from "../../../secrets/evidence.ts";
import { authenticateApp, type GitHubApp, type GitHubInstallation } from "../apps.ts";
import type { GitHubCall, GitHubRoute, RouteAnswer } from "../call.ts";
import type { Level, Permissions } from "../credentials.ts";
import { isoTime, privateUserJson, userJson } from "../models.ts";
import { apiRefusal, notFound, unprocessable } from "../refusals.ts";

const HOUR_MS = 3_600_000;

async function getUser(call: GitHubCall): Promise<RouteAnswer> {
  const user = call.actor();
  if (call.token?.kind === "installation") throw apiRefusal(403, "Resource not accessible by integration");
  return { status: 200, json: privateUserJson(user, call.links, 0) };
}

async function getMeta(call: GitHubCall): Promise<RouteAnswer> {
  const { flavour } = call.world;
  const version = flavour.kind === "enterprise" ? { installed_version: flavour.version } : {};
  return { status: 200, json: { verifiable_password_authentication: false, ...version } };
}

function appOf(call: GitHubCall): GitHubApp {
  return authenticateApp(call.request, call.world.apps, call.nowMs);
}

async function getApp(call: GitHubCall): Promise<RouteAnswer> {
  const app = appOf(call);
  return { status: 200, json: { id: app.id, slug: app.slug, name: app.slug, permissions: app.permissions, events: ["push"] } };
}

function installationOf(call: GitHubCall, app: GitHubApp): GitHubInstallation {
  const installation = app.installations.get(Number(call.parameter("installation_id")));
  if (installation === undefined) throw notFound("rest/apps/apps");
  return installation;
}

async function getInstallation(call: GitHubCall): Promise<RouteAnswer> {
  const app = appOf(call);
  const { id, account, repositories, isSuspended } = installationOf(call, app);
  const json = {
    id,
    account: userJson(account, call.links),
    app_id: app.id,
    app_slug: app.slug,
    target_type: account.type,
    permissions: app.permissions,
    repository_selection: repositories === "all" ? "all" : "selected",
    suspended_at: isSuspended ? isoTime(call.nowMs) : null,
  };
  return { status: 200, json };
}

function narrowPermissions(app: GitHubApp, asked: unknown): Permissions {
  if (asked === undefined) return app.permissions;
  for (const [name, level] of Object.entries(asked as Record<string, Level>)) {
    const granted = (app.permissions as Readonly<Record<string, Level | undefined>>)[name];
    if (granted !== "write" && granted !== level) {
      throw unprocessable("The permissions requested are not granted to this installation.", "rest/apps/apps");
    }
  }
  return asked as Permissions;
}

function narrowRepositories(call: GitHubCall, granted: GitHubInstallation["repositories"]): GitHubInstallation["repositories"] {
  const { repository_ids: ids, repositories: names } = call.json as { repository_ids?: number[]; repositories?: string[] };
  if (ids === undefined && names === undefined) return granted;
  const named = [...call.world.repositories.values()].filter(({ name }) => names?.includes(name)).map(({ id }) => id);
  const asked = [...(ids ?? []), ...named];
  const isWhole = asked.length === (ids ?? []).length + (names ?? []).length;
  if (!isWhole || asked.some((id) => granted !== "all" && !granted.has(id))) {
    const text = "There is at least one repository that does not exist or is not accessible to the parent installation.";
    throw unprocessable(text, "rest/apps/apps");
  }
  return new Set(asked);
}

/** Long and with dots, as GitHub makes them since 2026. */
function mintToken(call: GitHubCall, app: GitHubApp): string {
  const part = (length: number): string => call.world.identifiers.text("installation token", length);
  return `ghs_${app.id}_${part(80)}.${part(330)}.${part(86)}`;
}

async function createInstallationToken(call: GitHubCall): Promise<RouteAnswer> {
  const app = appOf(call);
  const installation = installationOf(call, app);
  if (installation.isSuspended) throw apiRefusal(403, "This installation has been suspended", "rest/apps/apps");
  const permissions = narrowPermissions(app, call.json.permissions);
  const repositories = narrowRepositories(call, installation.repositories);
  const value = mintToken(call, app);
  knowSecret("a token of a GitHub installation", value);
  const expiresAtMs = call.nowMs + HOUR_MS;
  const user = { id: 100_000 + app.id, login: `${app.slug}[bot]`, type: "Bot" as const };
  const installationId = installation.id;
  call.world.tokens.set(value, {
    kind: "installation",
    value,
    user,
    permissions,
    repositories,
    installationId,
    account: installation.account,
    expiresAtMs,
    isRevoked: false,
  });
  const selection = repositories === "all" ? "all" : "selected";
  return {
    status: 201,
    json: { token: value, expires_at: isoTime(expiresAtMs), permissions, repository_selection: selection },
  };
}

export const accountRoutes: readonly GitHubRoute[] = [
  { method: "GET", template: "/user", answer: getUser },
  { method: "GET", template: "/meta", answer: getMeta },
  { method: "GET", template: "/app", answer: getApp },
  { method: "GET", template: "/app/installations/{installation_id}", answer: getInstallation },
  { method: "POST", template: "/app/installations/{installation_id}/access_tokens", answer: createInstallationToken },
];
