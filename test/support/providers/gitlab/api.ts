// One API request at the GitLab double: credential, limits, moved projects, route, headers.
import type { Answer, ProviderRequest } from "../answer.ts";
import { headerOf, Refusal } from "../answer.ts";
import type { RecordedRequest } from "../recording.ts";
import { Router } from "../router.ts";
import type { Violations } from "../violations.ts";
import { GitLabCall, type GitLabRoute, type JsonBody, type RouteAnswer } from "./call.ts";
import { canSee, findToken, type GitLabToken } from "./credentials.ts";
import { PlainRefusal } from "./limits.ts";
import { badRequest, noRoute, notFound } from "./refusals.ts";
import { accountRoutes } from "./routes/account.ts";
import { branchRoutes } from "./routes/branches.ts";
import { commitRoutes } from "./routes/commits.ts";
import { contentRoutes } from "./routes/contents.ts";
import { hookRoutes } from "./routes/hooks.ts";
import type { GitLabWorld } from "./world.ts";

const ROOT = "/api/v4";

const routes: readonly GitLabRoute[] = [...accountRoutes, ...commitRoutes, ...contentRoutes, ...hookRoutes, ...branchRoutes];

/** Whose budget a credential uses. */
export const budgetKey = (token: GitLabToken | null): string => (token === null ? "anonymous" : `user ${token.user.username}`);

export class GitLabApi {
  readonly #world: GitLabWorld;
  readonly #violations: Violations;
  readonly #router = new Router(routes);

  constructor(world: GitLabWorld, violations: Violations) {
    this.#world = world;
    this.#violations = violations;
  }

  async answer(request: ProviderRequest, recorded: RecordedRequest): Promise<Answer> {
    if (["private_token", "access_token"].some((name) => request.url.searchParams.has(name))) {
      this.#violations.add("tokenInUrl", `${request.method} ${recorded.path}`);
    }
    const { budgets } = this.#world;
    let headers: Record<string, string> = {};
    try {
      const token = findToken(request, this.#world.tokens, this.#world.clock.now());
      const key = budgetKey(token);
      headers = budgets.headers(key);
      budgets.enter(key);
      headers = budgets.headers(key);
      return this.#send(await this.#routed(request, recorded, token), headers);
    } catch (error) {
      if (error instanceof PlainRefusal) return this.#sendPlain(error, headers);
      if (error instanceof Refusal)
        return this.#send({ status: error.status, json: error.json, headers: error.headers }, headers);
      throw error;
    }
  }

  async #routed(request: ProviderRequest, recorded: RecordedRequest, token: GitLabToken | null): Promise<RouteAnswer> {
    const path = request.url.pathname;
    const below = path.startsWith(`${ROOT}/`) ? path.slice(ROOT.length) : path;
    const isThere = below !== path || path.startsWith("/oauth/");
    const match = isThere ? this.#router.find(methodOf(request), below) : null;
    if (match === null) throw noRoute();
    recorded.route = `${match.route.method} ${match.route.template}`;
    const moved = this.#movedAnswer(request, match.parameters.id ?? null, token);
    if (moved !== null) return moved;
    const input = readInput(request);
    const siteUrl = request.url.origin;
    const call = new GitLabCall({
      world: this.#world,
      request,
      parameters: match.parameters,
      input,
      token,
      siteUrl,
      budgetKey: budgetKey(token),
    });
    return match.route.answer(call);
  }

  /** A project that was renamed or moved: reads go on to its number, writes do not. */
  #movedAnswer({ method, url }: ProviderRequest, id: string | null, token: GitLabToken | null): RouteAnswer | null {
    if (id === null || this.#world.findProject(id) !== null) return null;
    const moved = this.#world.findMoved(id);
    if (moved === null) return null;
    if (!canSee(moved, token)) throw notFound("Project");
    if (method !== "GET" && method !== "HEAD")
      return { status: 405, json: { message: "Non GET methods are not allowed for moved projects" } };
    const location = `${url.origin}${url.pathname.replace(`/projects/${encodeURIComponent(id)}`, `/projects/${moved.id}`)}${url.search}`;
    return { status: 301, json: { message: "301 Moved Permanently" }, headers: { location } };
  }

  #send({ status, json, bytes, headers }: RouteAnswer, more: Readonly<Record<string, string>>): Answer {
    const content = bytes?.content ?? (json === undefined ? null : Buffer.from(JSON.stringify(json)));
    const type = bytes?.type ?? "application/json";
    return {
      status,
      headers: { ...this.#everywhere(), ...(content === null ? {} : { "content-type": type }), ...more, ...headers },
      body: content,
    };
  }

  #sendPlain(refusal: PlainRefusal, more: Readonly<Record<string, string>>): Answer {
    const headers = { ...this.#everywhere(), "content-type": "text/plain", ...more, ...refusal.headers };
    return { status: refusal.status, headers, body: Buffer.from(String(refusal.json)) };
  }

  #everywhere(): Record<string, string> {
    const date = new Date(this.#world.clock.now()).toUTCString();
    return {
      date,
      "x-request-id": this.#world.identifiers.text("request", 26).toUpperCase(),
      "x-gitlab-meta": '{"version":"1"}',
    };
  }
}

const methodOf = ({ method }: ProviderRequest): string => (method === "HEAD" ? "GET" : method);

/** @throws Refusal 400 for a body that is no JSON object. */
function readInput(request: ProviderRequest): JsonBody {
  const query = Object.fromEntries(request.url.searchParams);
  if (request.body.length === 0) return query;
  const type = headerOf(request.headers, "content-type") ?? "";
  if (/x-www-form-urlencoded/.test(type))
    return { ...query, ...Object.fromEntries(new URLSearchParams(request.body.toString("utf8"))) };
  if (!/json/.test(type)) return query;
  try {
    const json: unknown = JSON.parse(request.body.toString("utf8"));
    if (typeof json === "object" && json !== null && !Array.isArray(json)) return { ...query, ...json };
  } catch {
    throw badRequest("400 Bad request - Invalid json");
  }
  throw badRequest("400 Bad request - Invalid json");
}
