// One repository of the GitHub double: a bare repository and what GitHub keeps beside it. All movements of refs end in
// `announce`, whoever made them, so that webhooks and lag see each of them once.
import type { SourceCommit, SourceFile } from "../../source-repository.ts";
import type { BareRepository, RefUpdate } from "../bare-repository.ts";
import { ZERO_OID } from "../bare-repository.ts";
import type { GitHubUser } from "./credentials.ts";
import { type BranchRule, findViolation, type RuleViolation } from "./protection.ts";

export type RefMovement = RefUpdate & { readonly before: string; readonly isForced: boolean };

export type RepositoryRole = "read" | "write" | "admin";

export type GitHubRepositoryOptions = {
  readonly id: number;
  readonly owner: GitHubUser;
  readonly name: string;
  readonly defaultBranch: string;
  readonly isPrivate: boolean;
  readonly git: BareRepository;
  readonly createdAtMs: number;
  readonly onMoved: (repository: GitHubRepository, movements: readonly RefMovement[], actor: GitHubUser) => void;
};

export class GitHubRepository {
  readonly id: number;
  readonly git: BareRepository;
  readonly createdAtMs: number;
  owner: GitHubUser;
  name: string;
  defaultBranch: string;
  isPrivate: boolean;
  isArchived = false;
  /** The owner is an organization that wants tokens authorized for single sign-on. */
  requiresSso = false;
  /** A stand-in for a secret: content that has it is refused by push protection. */
  secret: string | null = null;
  readonly rules: BranchRule[] = [];
  readonly collaborators = new Map<string, RepositoryRole>();
  /** Commits that GitHub has signed. */
  readonly verified = new Set<string>();
  readonly #onMoved: GitHubRepositoryOptions["onMoved"];
  readonly #previous = new Map<string, string>();
  #staleReads = 0;

  constructor(options: GitHubRepositoryOptions) {
    this.id = options.id;
    this.owner = options.owner;
    this.name = options.name;
    this.defaultBranch = options.defaultBranch;
    this.isPrivate = options.isPrivate;
    this.git = options.git;
    this.createdAtMs = options.createdAtMs;
    this.#onMoved = options.onMoved;
  }

  get fullName(): string {
    return `${this.owner.login}/${this.name}`;
  }

  get nodeId(): string {
    return `R_kgDO${Buffer.from(`repository:${this.id}`).toString("base64url")}`;
  }

  /** Null: nothing but what everybody may. */
  roleOf(user: GitHubUser): RepositoryRole | null {
    return user.id === this.owner.id ? "admin" : (this.collaborators.get(user.login) ?? null);
  }

  /** Commits as somebody else would, by a push: webhooks follow. Gives the commit's oid. */
  async commit(files: Readonly<Record<string, SourceFile>>, options: SourceCommit = {}): Promise<string> {
    const ref = `refs/heads/${options.branch ?? this.defaultBranch}`;
    const before = (await this.git.ref(ref)) ?? ZERO_OID;
    const after = await this.git.source.commit(files, options);
    this.announce([{ ref, before, after, isForced: false }], this.owner);
    return after;
  }

  /** Sets or (40 zeros) deletes a ref as a force-push of the owner does: webhooks follow. */
  async setRef(ref: string, after: string): Promise<void> {
    const before = (await this.git.ref(ref)) ?? ZERO_OID;
    if (!(await this.git.updateRefs([{ ref, before: null, after }]))) throw new Error(`${ref} cannot become ${after}`);
    this.announce([{ ref, before, after, isForced: true }], this.owner);
  }

  /** The commit of a branch, past any lag. Null: not there. */
  head(branch = this.defaultBranch): Promise<string | null> {
    return this.git.ref(`refs/heads/${branch}`);
  }

  violation(update: RefUpdate, actor: GitHubUser): Promise<RuleViolation | null> {
    return findViolation(update, actor, this);
  }

  /** The next `times` reads of a ref that moved since give its value before. */
  lag(times: number): void {
    this.#staleReads = times;
  }

  /** A ref as the API's readers see it. */
  async readRef(ref: string): Promise<string | null> {
    const now = await this.git.ref(ref);
    const before = this.#previous.get(ref);
    if (this.#staleReads <= 0 || before === undefined || before === now) return now;
    this.#staleReads -= 1;
    return before === ZERO_OID ? null : before;
  }

  /** Tells of refs that have moved. */
  announce(movements: readonly RefMovement[], actor: GitHubUser): void {
    for (const { ref, before } of movements) this.#previous.set(ref, before);
    this.#onMoved(this, movements, actor);
  }
}
