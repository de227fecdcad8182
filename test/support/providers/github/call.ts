// What a route of the GitHub double gets to see, and how it says what it answers.
import type { ProviderRequest } from "../answer.ts";
import { authorize, type GitHubToken, type GitHubUser, type Need } from "./credentials.ts";
import type { ObjectView } from "./git-models.ts";
import type { Links } from "./models.ts";
import { apiRefusal, notFound } from "./refusals.ts";
import type { GitHubRepository } from "./repository.ts";
import type { GitHubWorld } from "./world.ts";

export type JsonBody = Readonly<Record<string, unknown>>;

export type RouteAnswer = {
  readonly status: number;
  readonly json?: unknown;
  /** Instead of `json`. */
  readonly text?: { readonly content: Buffer | string; readonly type: string };
  readonly headers?: Readonly<Record<string, string>>;
};

export type GitHubRoute = {
  readonly method: string;
  /** As GitHub's OpenAPI writes it. */
  readonly template: string;
  /** The placeholder that takes slashes. */
  readonly greedy?: string;
  /** Counts as creation of content in the secondary limits. */
  readonly isContent?: boolean;
  /** Costs nothing of the hour's budget. */
  readonly isFree?: boolean;
  answer(call: GitHubCall): Promise<RouteAnswer>;
};

export class GitHubCall {
  readonly world: GitHubWorld;
  readonly request: ProviderRequest;
  readonly parameters: Readonly<Record<string, string>>;
  /** Body of the request; empty when there was none. */
  readonly json: JsonBody;
  /** Null: an anonymous caller. */
  readonly token: GitHubToken | null;
  readonly links: Links;
  /** Whose budget pays. */
  readonly budgetKey: string;

  constructor(fields: Pick<GitHubCall, "world" | "request" | "parameters" | "json" | "token" | "links" | "budgetKey">) {
    this.world = fields.world;
    this.request = fields.request;
    this.parameters = fields.parameters;
    this.json = fields.json;
    this.token = fields.token;
    this.links = fields.links;
    this.budgetKey = fields.budgetKey;
  }

  get query(): URLSearchParams {
    return this.request.url.searchParams;
  }

  get nowMs(): number {
    return this.world.clock.now();
  }

  parameter(name: string): string {
    return this.parameters[name] ?? "";
  }

  /** A text of the body; null: absent. The form of bodies is checked before routes run. */
  text(name: string): string | null {
    const value = this.json[name];
    return typeof value === "string" ? value : null;
  }

  /** The user that acts. @throws Refusal 401 for anonymous callers. */
  actor(): GitHubUser {
    if (this.token === null) throw apiRefusal(401, "Requires authentication");
    return this.token.user;
  }

  /** The repository of the path. @throws Refusal as `authorize`. */
  repository(need: Need): GitHubRepository {
    const repository = this.world.findRepository(`${this.parameter("owner")}/${this.parameter("repo")}`);
    if (repository === null) throw notFound();
    authorize(this.token, repository, need);
    if (repository.isArchived && need.level === "write") {
      throw apiRefusal(403, "Repository was archived so is read-only.");
    }
    return repository;
  }

  view(repository: GitHubRepository): ObjectView {
    return { repository, links: this.links };
  }
}
