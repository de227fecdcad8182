// What a route of the GitLab double gets to see, and how it says what it answers.
import type { ProviderRequest } from "../answer.ts";
import { authorize, type GitLabScope, type GitLabToken, type RoleName, requireScope } from "./credentials.ts";
import type { GitLabProject } from "./project.ts";
import { forbidden, notFound } from "./refusals.ts";
import type { GitLabWorld } from "./world.ts";

export type JsonBody = Readonly<Record<string, unknown>>;

export type RouteAnswer = {
  readonly status: number;
  readonly json?: unknown;
  /** Instead of `json`. */
  readonly bytes?: { readonly content: Buffer; readonly type: string };
  readonly headers?: Readonly<Record<string, string>>;
};

export type GitLabRoute = {
  readonly method: string;
  /** Below `/api/v4`. */
  readonly template: string;
  answer(call: GitLabCall): Promise<RouteAnswer>;
};

export const READ_SCOPES: readonly GitLabScope[] = ["api", "read_api"];
export const REPOSITORY_SCOPES: readonly GitLabScope[] = ["api", "read_api", "read_repository"];
export const WRITE_SCOPES: readonly GitLabScope[] = ["api"];

export class GitLabCall {
  readonly world: GitLabWorld;
  readonly request: ProviderRequest;
  readonly parameters: Readonly<Record<string, string>>;
  /** Body and query together, as GitLab takes them. */
  readonly input: JsonBody;
  /** Null: an anonymous caller. */
  readonly token: GitLabToken | null;
  /** Root of the instance, without a trailing slash. */
  readonly siteUrl: string;
  /** Whose budget pays. */
  readonly budgetKey: string;

  constructor(fields: Pick<GitLabCall, "world" | "request" | "parameters" | "input" | "token" | "siteUrl" | "budgetKey">) {
    this.world = fields.world;
    this.request = fields.request;
    this.parameters = fields.parameters;
    this.input = fields.input;
    this.token = fields.token;
    this.siteUrl = fields.siteUrl;
    this.budgetKey = fields.budgetKey;
  }

  get nowMs(): number {
    return this.world.clock.now();
  }

  parameter(name: string): string {
    return this.parameters[name] ?? "";
  }

  /** A text of body or query; null: absent or empty. */
  text(name: string): string | null {
    const value = this.input[name];
    return typeof value === "string" && value !== "" ? value : null;
  }

  /** Null: absent. Queries say `true` as text. */
  flag(name: string): boolean | null {
    const value = this.input[name];
    return value === undefined || value === null ? null : value === true || value === "true" || value === "1" || value === 1;
  }

  user(scopes: readonly GitLabScope[] = [...READ_SCOPES, "read_user"]): GitLabToken {
    return requireScope(this.token, scopes);
  }

  /** The project of the path. @throws Refusal 401, 403 or 404. */
  project(role: RoleName | "anybody", scopes: readonly GitLabScope[]): GitLabProject {
    if (this.token !== null) requireScope(this.token, scopes);
    const project = this.world.findProject(this.parameter("id"));
    if (project === null) throw notFound("Project");
    authorize(project, this.token, role);
    if (project.isArchived && this.request.method !== "GET") throw forbidden();
    return project;
  }
}
