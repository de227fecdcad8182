// One project of the GitLab double: a bare repository and what GitLab keeps beside it.
import type { SourceCommit, SourceFile } from "../../source-repository.ts";
import { type BareRepository, type RefUpdate, ZERO_OID } from "../bare-repository.ts";
import type { GitLabUser } from "./credentials.ts";

export type Movement = RefUpdate & { readonly before: string };

/** Roles as numbers (`ROLE`); null: nobody. */
export type ProtectedBranch = {
  /** A name, or a pattern with `*`. */
  readonly name: string;
  readonly push: number | null;
  readonly allowsForcePush: boolean;
};

export type GitLabProjectOptions = {
  readonly id: number;
  /** `group/sub/name` */
  readonly fullPath: string;
  readonly creator: GitLabUser;
  readonly defaultBranch: string;
  readonly isPrivate: boolean;
  readonly git: BareRepository;
  readonly createdAtMs: number;
  readonly onMoved: (project: GitLabProject, movements: readonly Movement[], actor: GitLabUser) => void;
};

export class GitLabProject {
  readonly id: number;
  readonly git: BareRepository;
  readonly creator: GitLabUser;
  readonly createdAtMs: number;
  fullPath: string;
  defaultBranch: string;
  isPrivate: boolean;
  isArchived = false;
  /** What a push rule says to every push and commit; null: there is none. */
  pushRule: string | null = null;
  readonly protectedBranches: ProtectedBranch[] = [];
  /** Role of each member by user name. */
  readonly members = new Map<string, number>();
  readonly #onMoved: GitLabProjectOptions["onMoved"];
  readonly #previous = new Map<string, string>();
  #staleReads = 0;

  constructor(options: GitLabProjectOptions) {
    this.id = options.id;
    this.fullPath = options.fullPath;
    this.creator = options.creator;
    this.defaultBranch = options.defaultBranch;
    this.isPrivate = options.isPrivate;
    this.git = options.git;
    this.createdAtMs = options.createdAtMs;
    this.#onMoved = options.onMoved;
  }

  get path(): string {
    return this.fullPath.split("/").at(-1) ?? "";
  }

  get namespace(): string {
    return this.fullPath.split("/").slice(0, -1).join("/");
  }

  /** Commits as somebody else would, by a push: webhooks follow. Gives the commit's oid. */
  async commit(files: Readonly<Record<string, SourceFile>>, options: SourceCommit = {}): Promise<string> {
    const ref = `refs/heads/${options.branch ?? this.defaultBranch}`;
    const before = (await this.git.ref(ref)) ?? ZERO_OID;
    const after = await this.git.source.commit(files, options);
    this.announce([{ ref, before, after }], this.creator);
    return after;
  }

  /** Sets or (40 zeros) deletes a ref as a force-push does: webhooks follow. */
  async setRef(ref: string, after: string): Promise<void> {
    const before = (await this.git.ref(ref)) ?? ZERO_OID;
    if (!(await this.git.updateRefs([{ ref, before: null, after }]))) throw new Error(`${ref} cannot become ${after}`);
    this.announce([{ ref, before, after }], this.creator);
  }

  /** The commit of a branch, past any lag. Null: not there. */
  head(branch = this.defaultBranch): Promise<string | null> {
    return this.git.ref(`refs/heads/${branch}`);
  }

  protectionOf(branch: string): ProtectedBranch | null {
    const matches = ({ name }: ProtectedBranch): boolean => matchesPattern(name, branch);
    return this.protectedBranches.find(matches) ?? null;
  }

  /** The next `times` reads of a branch that moved since give its value before. */
  lag(times: number): void {
    this.#staleReads = times;
  }

  /** A branch as the API's readers see it. */
  async readBranch(branch: string): Promise<string | null> {
    const ref = `refs/heads/${branch}`;
    const now = await this.git.ref(ref);
    const before = this.#previous.get(ref);
    if (this.#staleReads <= 0 || before === undefined || before === now) return now;
    this.#staleReads -= 1;
    return before === ZERO_OID ? null : before;
  }

  /** Tells of refs that have moved. */
  announce(movements: readonly Movement[], actor: GitLabUser): void {
    for (const { ref, before } of movements) this.#previous.set(ref, before);
    this.#onMoved(this, movements, actor);
  }
}

/** `*` stands for any text, slashes too, as in GitLab's wildcards. */
export function matchesPattern(pattern: string, text: string): boolean {
  const source = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${source.join(".*")}$`).test(text);
}
