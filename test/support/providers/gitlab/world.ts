// Everything that the GitLab double knows: people, tokens, projects and the paths that they had.
import type { Clock } from "../../../../src/domain/clock.ts";
import type { Identifiers } from "../identifiers.ts";
import type { WebhookSender } from "../webhook-sender.ts";
import type { GitLabToken, GitLabUser } from "./credentials.ts";
import type { GitLabHooks } from "./hooks.ts";
import type { GitLabBudgets } from "./limits.ts";
import type { GitLabProject } from "./project.ts";

export type GitLabWorldParts = Pick<GitLabWorld, "clock" | "identifiers" | "sender" | "version" | "hooks" | "budgets">;

export class GitLabWorld {
  readonly clock: Clock;
  readonly identifiers: Identifiers;
  readonly sender: WebhookSender;
  /** `19.1.0-ee` */
  readonly version: string;
  readonly hooks: GitLabHooks;
  readonly budgets: GitLabBudgets;
  /** GitLab.com refuses hooks that point at the local network; the double's receivers are there. */
  allowsLocalHooks = true;
  readonly users = new Map<string, GitLabUser>();
  readonly tokens = new Map<string, GitLabToken>();
  readonly projects = new Map<number, GitLabProject>();
  readonly #former = new Map<string, number>();

  constructor(parts: GitLabWorldParts) {
    this.clock = parts.clock;
    this.identifiers = parts.identifiers;
    this.sender = parts.sender;
    this.version = parts.version;
    this.hooks = parts.hooks;
    this.budgets = parts.budgets;
  }

  /** Whether the server is at least this one. */
  isAtLeast(major: number, minor: number): boolean {
    const [ownMajor = 0, ownMinor = 0] = this.version.split(".").map(Number);
    return ownMajor > major || (ownMajor === major && ownMinor >= minor);
  }

  /** By number or by present path, in any case of letters. */
  findProject(idOrPath: string): GitLabProject | null {
    if (/^\d+$/.test(idOrPath)) return this.projects.get(Number(idOrPath)) ?? null;
    const wanted = idOrPath.toLowerCase();
    return [...this.projects.values()].find(({ fullPath }) => fullPath.toLowerCase() === wanted) ?? null;
  }

  findMoved(path: string): GitLabProject | null {
    const id = this.#former.get(path.toLowerCase());
    return id === undefined ? null : (this.projects.get(id) ?? null);
  }

  move(project: GitLabProject, fullPath: string): void {
    this.#former.set(project.fullPath.toLowerCase(), project.id);
    project.fullPath = fullPath;
  }
}
