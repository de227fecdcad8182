// Starts a GitLab double and gives tests what they need of it: people, tokens, projects, faults, recordings.
import { type Clock, systemClock } from "../../../../src/domain/clock.ts";
import { knowSecret } from "../../secrets/evidence.ts";
import type { SourceFile } from "../../source-repository.ts";
import { type Answer, type ProviderRequest, textAnswer } from "../answer.ts";
import { BareRepository } from "../bare-repository.ts";
import { Faults } from "../faults.ts";
import { parseGitPath } from "../git-access.ts";
import { startHttpFront } from "../http-front.ts";
import { Identifiers } from "../identifiers.ts";
import { ProviderDouble } from "../provider-double.ts";
import { installInspection } from "../push-inspection.ts";
import { type RecordedRequest, Recording } from "../recording.ts";
import { Violations } from "../violations.ts";
import { WebhookSender } from "../webhook-sender.ts";
import { budgetKey, GitLabApi } from "./api.ts";
import { type GitLabScope, type GitLabToken, type GitLabUser, ROLE, type RoleName } from "./credentials.ts";
import { answerGitLabGit } from "./git.ts";
import { GitLabHooks } from "./hooks.ts";
import { defaultLimits, GitLabBudgets, type GitLabLimits } from "./limits.ts";
import { GitLabProject } from "./project.ts";
import { GitLabWorld } from "./world.ts";

export type GitLabOptions = {
  /** Default: the system's. Rate limits, expiry of tokens, dates of commits and the switching off of hooks follow it. */
  readonly clock?: Clock;
  /** Default `19.1.0-ee`. Before 19.0 there are no signing tokens, before 18.7 other texts for bad commit requests. */
  readonly version?: string;
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly port?: number;
};

export type GitLabTokenOptions = {
  /** User name, made when there is none; of a project or group token the bot's. */
  readonly user: string;
  /** Default: personal. */
  readonly kind?: GitLabToken["kind"];
  /** Default: `api`. */
  readonly scopes?: readonly GitLabScope[];
  /** Epoch milliseconds. */
  readonly expiresAtMs?: number;
};

export type ProjectOptions = {
  readonly isPrivate?: boolean;
  readonly defaultBranch?: string;
  /** Roles by user name. The first part of the path is an owner without being named. */
  readonly members?: Readonly<Record<string, RoleName>>;
  /** Files of a first commit; without them the project is empty. */
  readonly files?: Readonly<Record<string, SourceFile>>;
};

const PREFIX = { personal: "glpat-", project: "glpat-", group: "glpat-", oauth: "" } as const;

export class GitLabDouble extends ProviderDouble<GitLabWorld> {
  get limits(): GitLabLimits {
    return this.world.budgets.limits;
  }

  addUser(username: string, isBot = false): GitLabUser {
    const known = this.world.users.get(username);
    if (known !== undefined) return known;
    const user = { id: this.world.identifiers.next("user", 101), username, isBot };
    this.world.users.set(username, user);
    return user;
  }

  /** Gives the token's value. */
  addToken(options: GitLabTokenOptions): string {
    const { kind = "personal", scopes = ["api"], expiresAtMs = null } = options;
    const { identifiers, clock, tokens } = this.world;
    const isBot = kind === "project" || kind === "group";
    const value = `${PREFIX[kind]}${identifiers.text("token", kind === "oauth" ? 64 : 20)}`;
    knowSecret("a GitLab token", value);
    const id = identifiers.next("token", 9_001);
    const user = this.addUser(options.user, isBot);
    const fields = { id, value, name: `token ${id}`, kind, user, scopes: new Set(scopes) };
    tokens.set(value, { ...fields, createdAtMs: clock.now(), expiresAtMs, isRevoked: false });
    return value;
  }

  revokeToken(value: string): void {
    const token = this.world.tokens.get(value);
    if (token !== undefined) token.isRevoked = true;
  }

  /** `fullPath` is `group/name` with any number of groups. */
  async addProject(fullPath: string, options: ProjectOptions = {}): Promise<GitLabProject> {
    const { defaultBranch = "main", isPrivate = false } = options;
    const git = await BareRepository.create(defaultBranch);
    await installInspection(git.path);
    const creator = this.addUser(fullPath.split("/")[0] ?? "");
    const project = new GitLabProject({
      id: this.world.identifiers.next("project", 2_001),
      fullPath,
      creator,
      defaultBranch,
      isPrivate,
      git,
      createdAtMs: this.world.clock.now(),
      onMoved: (...moved) => this.world.hooks.refsMoved(...moved),
    });
    project.members.set(creator.username, ROLE.owner);
    for (const [username, role] of Object.entries(options.members ?? {})) this.setRole(project, username, role);
    this.world.projects.set(project.id, project);
    if (options.files !== undefined) await project.commit(options.files, { message: "First commit" });
    return project;
  }

  setRole(project: GitLabProject, username: string, role: RoleName): void {
    this.addUser(username);
    project.members.set(username, ROLE[role]);
  }

  /** Renames or transfers; the old path redirects until a project takes it. */
  moveProject(project: GitLabProject, fullPath: string): void {
    this.world.move(project, fullPath);
  }

  async deleteProject(project: GitLabProject): Promise<void> {
    this.world.projects.delete(project.id);
    await project.git[Symbol.asyncDispose]();
  }

  /** The address for git, without credentials. */
  gitUrl(project: GitLabProject): string {
    return `${this.url}/${project.fullPath}.git`;
  }

  /** Answers 429 to all that the token's user asks, from the next request until its time is over. */
  throttle(token: string, retryAfterSeconds?: number): void {
    const found = this.world.tokens.get(token);
    if (found === undefined) throw new Error("There is no such token.");
    this.world.budgets.throttle(budgetKey(found), retryAfterSeconds);
  }

  protected gitRepositories(): BareRepository[] {
    return [...this.world.projects.values()].map(({ git }) => git);
  }
}

export async function startGitLab(options: GitLabOptions = {}): Promise<GitLabDouble> {
  const clock = options.clock ?? systemClock;
  const version = options.version ?? "19.1.0-ee";
  const identifiers = new Identifiers("gitlab");
  const sender = new WebhookSender(clock);
  const violations = new Violations();
  const budgets = new GitLabBudgets(defaultLimits(), clock, violations);
  let url = "";
  const hooks = new GitLabHooks({ clock, identifiers, sender, version, siteUrl: () => url });
  const world = new GitLabWorld({ clock, identifiers, sender, version, hooks, budgets });
  const api = new GitLabApi(world, violations);
  const recording = new Recording(clock);
  const faults = new Faults();
  const answer = async (request: ProviderRequest, recorded: RecordedRequest): Promise<Answer> => {
    const path = parseGitPath(request.url);
    if (path === null) return api.answer(request, recorded);
    recorded.route = `git ${path.service.replace(/^git-/, "")}${path.endpoint === "info/refs" ? " advertisement" : ""}`;
    return /^git-(?:upload|receive)-pack$/.test(path.service)
      ? answerGitLabGit(world, request, path)
      : textAnswer(403, "Not allowed");
  };
  const front = await startHttpFront({ recording, faults, violations, tls: options.tls, port: options.port, answer });
  url = front.url;
  return new GitLabDouble({ world, faults, recording, violations, front });
}
