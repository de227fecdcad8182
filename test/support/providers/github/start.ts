// Starts a GitHub double and gives tests what they need of it: people, tokens, repositories, faults, recordings.
import { generateKeyPairSync } from "node:crypto";
import { type Clock, systemClock } from "../../../../src/domain/clock.ts";
import { knowSecret } from "../../secrets/evidence.ts";
import type { SourceFile } from "../../source-repository.ts";
import { type Answer, type ProviderRequest, textAnswer } from "../answer.ts";
import { BareRepository } from "../bare-repository.ts";
import { Faults } from "../faults.ts";
import { parseGitPath } from "../git-access.ts";
import { startHttpFront } from "../http-front.ts";
import { Identifiers } from "../identifiers.ts";
import { type DoubleParts, ProviderDouble } from "../provider-double.ts";
import { installInspection } from "../push-inspection.ts";
import { type RecordedRequest, Recording } from "../recording.ts";
import { Violations } from "../violations.ts";
import { WebhookSender } from "../webhook-sender.ts";
import { budgetKey, GitHubApi } from "./api.ts";
import type { GitHubApp, GitHubInstallation } from "./apps.ts";
import { Budgets, defaultLimits, type GitHubLimits, type Throttle } from "./budgets.ts";
import type { GitHubToken, GitHubUser, Permissions } from "./credentials.ts";
import { answerGitHubGit } from "./git.ts";
import { GitHubHooks } from "./hooks.ts";
import { GitHubRepository } from "./repository.ts";
import { GitHubSchema } from "./schema.ts";
import { defaultSizes } from "./sizes.ts";
import { type GitHubFlavour, GitHubWorld } from "./world.ts";

export type GitHubOptions = {
  /** Default: the system's. Rate limits, expiry of tokens and dates of commits follow it. */
  readonly clock?: Clock;
  /** Version of an Enterprise server: no rate limits, its own headers. Default: GitHub.com. Paths below `/api/v3` are served by both. */
  readonly enterpriseVersion?: string;
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly port?: number;
};

export type TokenOptions = {
  /** Login of an owner that was or is added here. */
  readonly user: string;
  /** Epoch milliseconds. */
  readonly expiresAtMs?: number;
} & (
  | { readonly kind?: "classic"; readonly scopes?: readonly string[]; readonly authorizedFor?: readonly string[] }
  | {
      readonly kind: "fine-grained";
      readonly permissions: Permissions;
      readonly repositories?: readonly GitHubRepository[] | "all";
    }
);

export type RepositoryOptions = {
  readonly isPrivate?: boolean;
  readonly defaultBranch?: string;
  /** Files of a first commit; without them the repository is empty. */
  readonly files?: Readonly<Record<string, SourceFile>>;
};

export class GitHubDouble extends ProviderDouble<GitHubWorld> {
  readonly budgets: Budgets;

  constructor(parts: DoubleParts<GitHubWorld> & { readonly budgets: Budgets }) {
    super(parts);
    this.budgets = parts.budgets;
  }

  /** The API's root as an Enterprise server has it; on GitHub.com it is the site. */
  get enterpriseApiUrl(): string {
    return `${this.url}/api/v3`;
  }

  get limits(): GitHubLimits {
    return this.budgets.limits;
  }

  addUser(login: string, type: GitHubUser["type"] = "User"): GitHubUser {
    const known = this.world.users.get(login);
    if (known !== undefined) return known;
    const user = { id: this.world.identifiers.next("user", 1_001), login, type };
    this.world.users.set(login, user);
    return user;
  }

  /** Gives the token's value. Default: a classic token that may everything its user may. */
  addToken(options: TokenOptions): string {
    const user = this.addUser(options.user);
    const expiresAtMs = options.expiresAtMs ?? null;
    const token = this.#makeToken(options, { user, expiresAtMs, isRevoked: false });
    this.world.tokens.set(token.value, token);
    knowSecret("a GitHub token", token.value);
    return token.value;
  }

  revokeToken(value: string): void {
    const token = this.world.tokens.get(value);
    if (token !== undefined) token.isRevoked = true;
  }

  addApp(options: { readonly permissions: Permissions; readonly slug?: string }): GitHubApp {
    const id = this.world.identifiers.next("app", 7_001);
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const privateKeyPem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    knowSecret("a GitHub App's key", privateKeyPem);
    const app = {
      id,
      slug: options.slug ?? `app-${id}`,
      privateKeyPem,
      permissions: options.permissions,
      installations: new Map(),
    };
    this.world.apps.set(id, app);
    return app;
  }

  installApp(app: GitHubApp, login: string, repositories: readonly GitHubRepository[] | "all" = "all"): GitHubInstallation {
    const id = this.world.identifiers.next("installation", 55_001);
    const chosen = repositories === "all" ? repositories : new Set(repositories.map((repository) => repository.id));
    const installation: GitHubInstallation = { id, account: this.addUser(login), repositories: chosen, isSuspended: false };
    app.installations.set(id, installation);
    return installation;
  }

  /** `fullName` is `owner/name`. */
  async addRepository(fullName: string, options: RepositoryOptions = {}): Promise<GitHubRepository> {
    const [login = "", name = ""] = fullName.split("/");
    const { defaultBranch = "main", isPrivate = false } = options;
    const git = await BareRepository.create(defaultBranch);
    await installInspection(git.path);
    const repository = new GitHubRepository({
      id: this.world.identifiers.next("repository", 500_001),
      owner: this.addUser(login),
      name,
      defaultBranch,
      isPrivate,
      git,
      createdAtMs: this.world.clock.now(),
      onMoved: (...moved) => this.world.hooks.refsMoved(...moved),
    });
    this.world.repositories.set(repository.id, repository);
    if (options.files !== undefined) await repository.commit(options.files, { message: "First commit" });
    return repository;
  }

  /** Renames or transfers to `owner/name`; the old name redirects until a repository takes it. */
  moveRepository(repository: GitHubRepository, fullName: string): void {
    const [login = "", name = ""] = fullName.split("/");
    this.world.move(repository, this.addUser(login), name);
  }

  async deleteRepository(repository: GitHubRepository): Promise<void> {
    this.world.repositories.delete(repository.id);
    await repository.git[Symbol.asyncDispose]();
  }

  /** The address for git, without credentials. */
  gitUrl(repository: GitHubRepository): string {
    return `${this.url}/${repository.fullName}.git`;
  }

  /** Refuses all that the token's user (or the installation) asks, from the next request until its time is over. */
  throttle(token: string, throttle: Throttle): void {
    const found = this.world.tokens.get(token);
    if (found === undefined) throw new Error("There is no such token.");
    this.budgets.throttle(budgetKey(found, false), throttle);
  }

  protected gitRepositories(): BareRepository[] {
    return [...this.world.repositories.values()].map(({ git }) => git);
  }

  #makeToken(
    options: TokenOptions,
    base: { readonly user: GitHubUser; readonly expiresAtMs: number | null; isRevoked: boolean },
  ): GitHubToken {
    const { identifiers } = this.world;
    if (options.kind === "fine-grained") {
      const value = `github_pat_${identifiers.text("fine-grained token", 82)}`;
      const { permissions, repositories = "all" } = options;
      const chosen = repositories === "all" ? repositories : new Set(repositories.map(({ id }) => id));
      return { ...base, kind: "fine-grained", value, permissions, repositories: chosen };
    }
    const value = `ghp_${identifiers.text("classic token", 36)}`;
    const scopes = new Set(options.scopes ?? ["repo", "workflow", "admin:repo_hook"]);
    return { ...base, kind: "classic", value, scopes, authorizedFor: new Set(options.authorizedFor) };
  }
}

export async function startGitHub(options: GitHubOptions = {}): Promise<GitHubDouble> {
  const clock = options.clock ?? systemClock;
  const version = options.enterpriseVersion ?? null;
  const flavour: GitHubFlavour = version === null ? { kind: "github.com" } : { kind: "enterprise", version };
  const identifiers = new Identifiers("github");
  const sender = new WebhookSender(clock);
  const links = { apiUrl: "", siteUrl: "" };
  const hooks = new GitHubHooks({ clock, identifiers, sender, links: () => links, enterpriseVersion: version });
  const world = new GitHubWorld({ clock, identifiers, sender, sizes: defaultSizes(), flavour, hooks });
  const violations = new Violations();
  const budgets = new Budgets(defaultLimits(version === null), clock, violations);
  const api = new GitHubApi({ world, budgets, schema: new GitHubSchema(), violations });
  const recording = new Recording(clock);
  const faults = new Faults();
  const answer = async (request: ProviderRequest, recorded: RecordedRequest): Promise<Answer> => {
    const path = parseGitPath(request.url);
    if (path === null) return api.answer(request, recorded);
    recorded.route = `git ${path.service.replace(/^git-/, "")}${path.endpoint === "info/refs" ? " advertisement" : ""}`;
    return /^git-(?:upload|receive)-pack$/.test(path.service)
      ? answerGitHubGit(world, request, path)
      : textAnswer(403, "Please upgrade your git client.");
  };
  const front = await startHttpFront({ recording, faults, violations, tls: options.tls, port: options.port, answer });
  Object.assign(links, { apiUrl: version === null ? front.url : `${front.url}/api/v3`, siteUrl: front.url });
  return new GitHubDouble({ world, faults, recording, violations, budgets, front });
}
