// One API request at the GitHub double, in GitHub's order: user agent, credential, limits, route, redirect of moved repositories,
// form of the body, route; then ETag, headers and the check against GitHub's schema.
import { createHash } from "node:crypto";
import type { Answer, ProviderRequest } from "../answer.ts";
import { headerOf, Refusal, textAnswer } from "../answer.ts";
import type { RecordedRequest } from "../recording.ts";
import { type RouteMatch, Router } from "../router.ts";
import type { Violations } from "../violations.ts";
import { ANONYMOUS, type Budgets, type Resource } from "./budgets.ts";
import { GitHubCall, type GitHubRoute, type JsonBody, type RouteAnswer } from "./call.ts";
import { findToken, type GitHubToken, isAllowed, READ } from "./credentials.ts";
import { answerGraphql, isMutation } from "./graphql/endpoint.ts";
import type { Links } from "./models.ts";
import { apiRefusal, notFound } from "./refusals.ts";
import { accountRoutes } from "./routes/account.ts";
import { blobRoutes } from "./routes/blobs.ts";
import { commitRoutes } from "./routes/commits.ts";
import { contentRoutes } from "./routes/contents.ts";
import { hookRoutes } from "./routes/hooks.ts";
import { limitRoutes } from "./routes/limits.ts";
import { refRoutes } from "./routes/refs.ts";
import { repositoryRoutes } from "./routes/repositories.ts";
import { treeRoutes } from "./routes/trees.ts";
import type { GitHubSchema } from "./schema.ts";
import { tokenHeaders } from "./token-headers.ts";
import type { GitHubWorld } from "./world.ts";

export type GitHubApiParts = {
  readonly world: GitHubWorld;
  readonly budgets: Budgets;
  readonly schema: GitHubSchema;
  readonly violations: Violations;
};

const VERSIONS = ["2022-11-28", "2026-03-10"];
const GRAPHQL: GitHubRoute = { method: "POST", template: "/graphql", answer: answerGraphql };
const NO_AGENT =
  "Request forbidden by administrative rules. Please make sure your request has a User-Agent header (https://docs.github.com/en/rest/overview/resources-in-the-rest-api#user-agent-required). Check https://developer.github.com for other possible causes.";

const routes: readonly GitHubRoute[] = [
  GRAPHQL,
  ...accountRoutes,
  ...refRoutes,
  ...blobRoutes,
  ...treeRoutes,
  ...commitRoutes,
  ...contentRoutes,
  ...hookRoutes,
  ...repositoryRoutes,
];

/** Path below the API's root, and the root. Enterprise servers have it below `/api/v3`, GraphQL at `/api/graphql`. */
function splitRoot({ url }: ProviderRequest): { readonly path: string; readonly root: string } {
  if (url.pathname === "/api/graphql") return { path: "/graphql", root: "/api/v3" };
  if (url.pathname.startsWith("/api/v3/")) return { path: url.pathname.slice("/api/v3".length), root: "/api/v3" };
  return { path: url.pathname, root: "" };
}

type Asked = {
  readonly request: ProviderRequest;
  readonly recorded: RecordedRequest;
  readonly path: string;
  readonly links: Links;
  readonly token: GitHubToken | null;
  /** Whose budget pays. */
  readonly key: string;
  readonly resource: Resource;
};

export class GitHubApi {
  readonly #parts: GitHubApiParts;
  readonly #router: Router<GitHubRoute>;

  constructor(parts: GitHubApiParts) {
    this.#parts = parts;
    this.#router = new Router([...routes, ...limitRoutes(parts.budgets)]);
  }

  async answer(request: ProviderRequest, recorded: RecordedRequest): Promise<Answer> {
    if (!headerOf(request.headers, "user-agent")) return textAnswer(403, NO_AGENT, "text/html");
    if (["access_token", "client_secret"].some((name) => request.url.searchParams.has(name))) {
      this.#parts.violations.add("tokenInUrl", `${request.method} ${recorded.path}`);
    }
    const { path, root } = splitRoot(request);
    const links = { apiUrl: `${request.url.origin}${root}`, siteUrl: request.url.origin };
    const { world } = this.#parts;
    try {
      const isApp = /^\/app(?:\/|$)/.test(path);
      const token = isApp ? null : findToken(request, world.tokens, world.clock.now());
      const resource = path === "/graphql" ? "graphql" : "core";
      return await this.#limited({ request, recorded, path, links, token, key: budgetKey(token, isApp), resource });
    } catch (error) {
      if (error instanceof Refusal) return this.#send({ status: error.status, json: error.json, headers: error.headers }, {});
      throw error;
    }
  }

  /** Within the caller's budget, which also pays for refusals but not for 304. */
  async #limited(asked: Asked): Promise<Answer> {
    const { budgets } = this.#parts;
    const { key, resource, recorded } = asked;
    const match = this.#match(asked);
    recorded.route = match === null ? null : `${match.route.method} ${match.route.template}`;
    const isRead = match?.route === GRAPHQL && !isMutation(asked.request.body);
    const isFreeRoute = match?.route.isFree === true;
    let isFree = true;
    try {
      const method = isRead ? "GET" : asked.request.method;
      budgets.enter(key, { method, resource, isContent: match?.route.isContent === true, isFree: isFreeRoute });
      isFree = isFreeRoute;
      const answer = await this.#routed(asked, match);
      isFree ||= answer.status === 304;
      return this.#send(answer, this.#headers(asked, isFree));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const answer = { status: error.status, json: error.json, headers: error.headers };
      this.#check(asked, match?.route ?? null, answer);
      return this.#send(answer, this.#headers(asked, isFree));
    } finally {
      budgets.leave(key, resource, isFree);
    }
  }

  async #routed(asked: Asked, match: RouteMatch<GitHubRoute> | null): Promise<RouteAnswer> {
    const moved = this.#redirect(asked);
    if (moved !== null) return moved;
    if (match === null) throw notFound();
    const { world, schema } = this.#parts;
    const json = readBody(asked.request);
    const { request, token, links, key: budgetKey } = asked;
    const call = new GitHubCall({ world, request, parameters: match.parameters, json, token, links, budgetKey });
    const fault = asked.request.body.length === 0 ? null : schema.requestFault(match.route.method, match.route.template, json);
    if (fault !== null) throw apiRefusal(422, fault);
    const answer = withEtag(await match.route.answer(call), asked);
    this.#check(asked, match.route, answer);
    return answer;
  }

  #match({ request, path }: Asked): RouteMatch<GitHubRoute> | null {
    return this.#router.find(request.method === "HEAD" ? "GET" : request.method, this.#named(path));
  }

  /** `/repositories/{id}/…` is the repository's path whatever its name. */
  #named(path: string): string {
    const [, id, rest = ""] = /^\/repositories\/(\d+)(\/.*)?$/.exec(path) ?? [];
    const repository = id === undefined ? undefined : this.#parts.world.repositories.get(Number(id));
    return repository === undefined ? path : `/repos/${repository.fullName}${rest}`;
  }

  #redirect({ path, request, links, token }: Asked): RouteAnswer | null {
    const [, name = "", rest = ""] = /^\/repos\/([^/]+\/[^/]+)(\/.*)?$/.exec(path) ?? [];
    const { world } = this.#parts;
    const moved = world.findRepository(name) === null ? world.findMoved(name) : null;
    if (moved === null || !isAllowed(token, moved, READ)) return null;
    const url = `${links.apiUrl}/repositories/${moved.id}${rest}${request.url.search}`;
    const isRead = request.method === "GET" || request.method === "HEAD";
    const json = {
      message: isRead ? "Moved Permanently" : "Temporary Redirect",
      url,
      documentation_url: "https://docs.github.com/rest",
    };
    return { status: isRead ? 301 : 307, json, headers: { location: url } };
  }

  #headers({ token, key, resource }: Asked, isFree: boolean): Record<string, string> {
    const { budgets, world } = this.#parts;
    return { ...budgets.headers(key, resource, isFree ? 0 : 1), ...tokenHeaders(token, world.flavour) };
  }

  #check({ request }: Asked, route: GitHubRoute | null, { status, json, text }: RouteAnswer): void {
    if (route === null) return;
    const { schema, violations } = this.#parts;
    const fault = schema.answerFault({
      method: request.method,
      template: route.template,
      status,
      json: status === 304 ? undefined : json,
      hasBody: json !== undefined || text !== undefined,
    });
    if (fault === null) return;
    violations.add("schema", fault);
    throw new Error(`The answer breaks GitHub's schema: ${fault}`);
  }

  #send({ status, json, text, headers }: RouteAnswer, more: Readonly<Record<string, string>>): Answer {
    const isEmpty = status === 304 || (json === undefined && text === undefined);
    const body = isEmpty ? null : Buffer.from(text?.content ?? JSON.stringify(json));
    return {
      status,
      headers: {
        ...(isEmpty ? {} : { "content-type": text?.type ?? "application/json; charset=utf-8" }),
        date: new Date(this.#parts.world.clock.now()).toUTCString(),
        "x-github-request-id": this.#parts.world.identifiers.text("request", 20).toUpperCase(),
        "x-github-api-version-selected": VERSIONS[0] ?? "",
        ...more,
        ...headers,
      },
      body,
    };
  }
}

/** Whose budget a credential uses: all tokens of a user share one. */
export function budgetKey(token: GitHubToken | null, isApp: boolean): string {
  if (isApp) return "app";
  if (token === null) return ANONYMOUS;
  return token.kind === "installation" ? `installation ${token.installationId}` : `user ${token.user.login}`;
}

function readBody({ body, headers }: ProviderRequest): JsonBody {
  const version = headerOf(headers, "x-github-api-version");
  if (version !== null && !VERSIONS.includes(version)) throw apiRefusal(400, `${version} is not a supported version.`);
  if (body.length === 0) return {};
  try {
    const json: unknown = JSON.parse(body.toString("utf8"));
    if (typeof json === "object" && json !== null && !Array.isArray(json)) return json as JsonBody;
  } catch {
    throw apiRefusal(400, "Problems parsing JSON");
  }
  throw apiRefusal(400, "Body should be a JSON object");
}

/** Answers of reads carry one; a caller that knows it gets 304. */
function withEtag(answer: RouteAnswer, { request }: Asked): RouteAnswer {
  if ((request.method !== "GET" && request.method !== "HEAD") || answer.status !== 200) return answer;
  const content = answer.text?.content ?? JSON.stringify(answer.json);
  const etag = answer.headers?.etag ?? `W/"${createHash("sha256").update(content).digest("hex")}"`;
  const headers = { ...answer.headers, etag, "cache-control": "private, max-age=60, s-maxage=60" };
  const known = (headerOf(request.headers, "if-none-match") ?? "").split(/\s*,\s*/);
  const bare = (tag: string): string => tag.replace(/^W\//, "");
  return known.some((tag) => bare(tag) === bare(etag)) ? { status: 304, headers } : { ...answer, headers };
}
