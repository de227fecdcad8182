// Everything that the GitHub double knows: people, tokens, Apps, repositories and the names that they had.
import type { Clock } from "../../../../src/domain/clock.ts";
import type { Identifiers } from "../identifiers.ts";
import type { WebhookSender } from "../webhook-sender.ts";
import type { GitHubApp } from "./apps.ts";
import type { GitHubToken, GitHubUser } from "./credentials.ts";
import type { GitHubHooks } from "./hooks.ts";
import type { GitHubRepository } from "./repository.ts";
import type { GitHubSizes } from "./sizes.ts";

export type GitHubFlavour = { readonly kind: "github.com" } | { readonly kind: "enterprise"; readonly version: string };

export type GitHubWorldParts = Pick<GitHubWorld, "clock" | "identifiers" | "sender" | "sizes" | "flavour" | "hooks">;

export class GitHubWorld {
  readonly clock: Clock;
  readonly identifiers: Identifiers;
  readonly sender: WebhookSender;
  readonly sizes: GitHubSizes;
  readonly flavour: GitHubFlavour;
  readonly hooks: GitHubHooks;
  /** GitHub refuses hooks that point at the local network; the double's receivers are there. */
  allowsLocalHooks = true;
  readonly users = new Map<string, GitHubUser>();
  readonly tokens = new Map<string, GitHubToken>();
  readonly apps = new Map<number, GitHubApp>();
  readonly repositories = new Map<number, GitHubRepository>();
  /** Names in lower case that repositories had before. */
  readonly #former = new Map<string, number>();

  constructor(parts: GitHubWorldParts) {
    this.clock = parts.clock;
    this.identifiers = parts.identifiers;
    this.sender = parts.sender;
    this.sizes = parts.sizes;
    this.flavour = parts.flavour;
    this.hooks = parts.hooks;
  }

  /** By its present name, in any case of letters. */
  findRepository(fullName: string): GitHubRepository | null {
    const wanted = fullName.toLowerCase();
    return [...this.repositories.values()].find((repository) => repository.fullName.toLowerCase() === wanted) ?? null;
  }

  /** The repository that had this name and whose name nobody has taken since. */
  findMoved(fullName: string): GitHubRepository | null {
    const id = this.#former.get(fullName.toLowerCase());
    return id === undefined ? null : (this.repositories.get(id) ?? null);
  }

  /** Renames or transfers; the old name redirects until it is taken. */
  move(repository: GitHubRepository, owner: GitHubUser, name: string): void {
    this.#former.set(repository.fullName.toLowerCase(), repository.id);
    repository.owner = owner;
    repository.name = name;
  }
}
