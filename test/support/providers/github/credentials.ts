// Who a caller is to the GitHub double and what its token opens. Tokens are classic (scopes), fine-grained or an App
// installation's (permissions and chosen repositories); each is refused in the words of its kind.
import { headerOf, type ProviderRequest, type Refusal } from "../answer.ts";
import { credentialOf } from "../recording.ts";
import { apiRefusal } from "./refusals.ts";
import type { GitHubRepository } from "./repository.ts";

export type GitHubUser = { readonly id: number; readonly login: string; readonly type: "User" | "Organization" | "Bot" };

export type Permission = "contents" | "metadata" | "repository_hooks" | "workflows" | "administration";
export type Level = "read" | "write";
export type Permissions = Readonly<Partial<Record<Permission, Level>>>;

type TokenBase = {
  readonly value: string;
  readonly user: GitHubUser;
  readonly expiresAtMs: number | null;
  isRevoked: boolean;
};

export type GitHubToken = TokenBase &
  (
    | { readonly kind: "classic"; readonly scopes: ReadonlySet<string>; readonly authorizedFor: ReadonlySet<string> }
    | { readonly kind: "fine-grained"; readonly permissions: Permissions; readonly repositories: "all" | ReadonlySet<number> }
    | {
        readonly kind: "installation";
        readonly permissions: Permissions;
        readonly repositories: "all" | ReadonlySet<number>;
        readonly installationId: number;
        /** Whose repositories it is for. */
        readonly account: GitHubUser;
      }
  );

/** What a route needs of a repository. */
export type Need = { readonly permission: Permission; readonly level: Level };

export const READ: Need = { permission: "metadata", level: "read" };
export const READ_CONTENTS: Need = { permission: "contents", level: "read" };
export const WRITE_CONTENTS: Need = { permission: "contents", level: "write" };

const badCredentials = (): Refusal => apiRefusal(401, "Bad credentials", "rest");

/** Null: the caller sent none. @throws Refusal 401 for one that is unknown, revoked or expired. */
export function findToken(request: ProviderRequest, tokens: ReadonlyMap<string, GitHubToken>, nowMs: number): GitHubToken | null {
  const sent = credentialOf(request);
  if (sent === null || (sent.secret === "" && headerOf(request.headers, "authorization") === null)) return null;
  const token = tokens.get(sent.secret);
  if (token === undefined || token.isRevoked) throw badCredentials();
  if (token.expiresAtMs !== null && token.expiresAtMs <= nowMs) throw badCredentials();
  return token;
}

function hasLevel(granted: Level | undefined, wanted: Level): boolean {
  return granted === "write" || granted === wanted;
}

function classicOpens(scopes: ReadonlySet<string>, need: Need, isPrivate: boolean): boolean {
  const hasRepo = scopes.has("repo") || (!isPrivate && scopes.has("public_repo"));
  if (need.permission === "workflows") return scopes.has("workflow");
  if (need.permission === "repository_hooks") {
    const names =
      need.level === "write" ? ["write:repo_hook", "admin:repo_hook"] : ["read:repo_hook", "write:repo_hook", "admin:repo_hook"];
    return scopes.has("repo") || names.some((name) => scopes.has(name));
  }
  return hasRepo || (!isPrivate && need.level === "read");
}

function isChosen(token: GitHubToken, repository: GitHubRepository): boolean {
  if (token.kind === "classic") return true;
  if (token.repositories !== "all") return token.repositories.has(repository.id);
  const account = token.kind === "installation" ? token.account : token.user;
  return repository.owner.id === account.id;
}

/** What the person or the App may do, whatever the token; Apps are bounded by their permissions alone. */
function roleAllows(token: GitHubToken, repository: GitHubRepository, need: Need): boolean {
  if (token.kind === "installation") return true;
  const role = repository.roleOf(token.user);
  if (role === "admin") return true;
  if (need.permission === "repository_hooks" || need.permission === "administration") return false;
  return need.level === "read" ? role !== null || !repository.isPrivate : role === "write";
}

/** Whether the token opens the repository for `need`. Anonymous callers read public ones. */
export function isAllowed(token: GitHubToken | null, repository: GitHubRepository, need: Need): boolean {
  if (token === null) return !repository.isPrivate && need.level === "read" && need.permission !== "repository_hooks";
  if (!roleAllows(token, repository, need)) return false;
  if (token.kind === "classic") return classicOpens(token.scopes, need, repository.isPrivate);
  if (!isChosen(token, repository))
    return !repository.isPrivate && need.level === "read" && need.permission !== "repository_hooks";
  if (need.permission === "metadata") return true;
  return hasLevel(token.permissions[need.permission], need.level);
}

/** Whether an organization has not authorized the token for single sign-on. */
export function lacksSso(token: GitHubToken | null, { requiresSso, owner }: GitHubRepository): boolean {
  return requiresSso && token?.kind === "classic" && !token.authorizedFor.has(owner.login);
}

/** @throws Refusal 404 where the caller must not learn that the repository exists, 403 where only a permission is missing. */
export function authorize(token: GitHubToken | null, repository: GitHubRepository, need: Need): void {
  const mayDo = isAllowed(token, repository, need);
  if (!mayDo && !isAllowed(token, repository, READ)) throw apiRefusal(404, "Not Found", "rest");
  if (lacksSso(token, repository)) {
    const message =
      "Resource protected by organization SAML enforcement. You must grant your Personal Access token access to this organization.";
    const url = `https://github.com/orgs/${repository.owner.login}/sso?authorization_request=A1B2C3`;
    throw apiRefusal(403, message, "rest", { "x-github-sso": `required; url=${url}` });
  }
  if (mayDo) return;
  if (token === null || token.kind === "classic") throw apiRefusal(404, "Not Found", "rest");
  const by = token.kind === "installation" ? "integration" : "personal access token";
  const accepted = { "x-accepted-github-permissions": `${need.permission}=${need.level}` };
  throw apiRefusal(403, `Resource not accessible by ${by}`, "rest", accepted);
}
