// Protected branches and rulesets: what GitHub refuses at a ref update, in the API's words and in git's.
import { type BareRepository, type RefUpdate, ZERO_OID } from "../bare-repository.ts";
import type { PushRefusal } from "../git-access.ts";
import type { GitHubUser } from "./credentials.ts";

export type BranchRule = {
  /** Full branch name, or `*` for all. */
  readonly branch: string;
  /** Classic protection shows at the branch; a ruleset only under `/rules/branches/{branch}`. */
  readonly by: "protection" | "ruleset";
  readonly requires:
    | "pullRequest"
    | "signatures"
    | "statusChecks"
    /** Nobody may push but those in `bypass`. */
    | "nobody"
    /** Pushes are allowed; force-pushes and deletions are not. */
    | "fastForward"
    /** No branch of this name may be made. */
    | "noCreation";
  /** Logins that the rule lets pass. */
  readonly bypass?: readonly string[];
};

export type RuleViolation = { readonly rule: BranchRule; readonly ref: string; readonly text: string };

const TEXT: Readonly<Record<BranchRule["requires"], string>> = {
  pullRequest: "Changes must be made through a pull request.",
  signatures: "Commits must have verified signatures.",
  statusChecks: 'Required status check "ci" is expected.',
  nobody:
    "You're not authorized to push to this branch. Visit https://docs.github.com/articles/about-protected-branches/ for more information.",
  fastForward: "Cannot force-push to this protected branch",
  noCreation: "Cannot create ref due to creations being restricted.",
};

export type ProtectionView = {
  readonly git: BareRepository;
  readonly rules: readonly BranchRule[];
  /** Commits that GitHub has signed. */
  readonly verified: ReadonlySet<string>;
};

async function isBroken(rule: BranchRule, update: RefUpdate, { git, verified }: ProtectionView): Promise<boolean> {
  const isCreation = update.before === ZERO_OID || update.before === null;
  switch (rule.requires) {
    case "noCreation":
      return isCreation;
    case "fastForward":
      return update.after === ZERO_OID || (!isCreation && (await isRewrite(update, git)));
    case "signatures": {
      if (!(await git.isType(update.after, "commit"))) return true;
      const known = isCreation ? [] : ["--not", update.before ?? ""];
      const commits = (await git.source.git("rev-list", update.after, ...known)).split("\n").filter(Boolean);
      return commits.some((oid) => !verified.has(oid));
    }
    default:
      return true;
  }
}

/** Of a commit that a push still brings nothing is known here; the inspection of pushes looks at it. */
async function isRewrite({ before, after }: RefUpdate, git: BareRepository): Promise<boolean> {
  return (await git.isType(after, "commit")) && !(await git.isAncestor(before ?? "", after));
}

/** The first rule that an update breaks; null: none. */
export async function findViolation(update: RefUpdate, actor: GitHubUser, view: ProtectionView): Promise<RuleViolation | null> {
  const branch = update.ref.replace(/^refs\/heads\//, "");
  const applying = view.rules.filter((rule) => rule.branch === "*" || rule.branch === branch);
  for (const rule of update.ref.startsWith("refs/heads/") ? applying : []) {
    if (rule.bypass?.includes(actor.login) || !(await isBroken(rule, update, view))) continue;
    return { rule, ref: update.ref, text: TEXT[rule.requires] };
  }
  return null;
}

/** The message of the API's 422. */
export function apiText({ rule, text }: RuleViolation): string {
  if (rule.requires === "noCreation") return "Reference update failed";
  return rule.by === "ruleset" ? `Repository rule violations found\n\n${text}` : text;
}

/** What a push hears. */
export function pushText({ rule, ref, text }: RuleViolation): PushRefusal {
  if (rule.by === "protection") {
    const messages = [`error: GH006: Protected branch update failed for ${ref}.`, `error: ${text}`];
    return { refusals: [{ ref, reason: "protected branch hook declined" }], messages };
  }
  const messages = [`error: GH013: Repository rule violations found for ${ref}.`, "", `- ${text}`, ""];
  return { refusals: [{ ref, reason: "push declined due to repository rule violations" }], messages };
}
