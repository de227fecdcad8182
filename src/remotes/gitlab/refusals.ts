// Why GitLab refuses a commit. Its answers have no codes but the status: 400 is a path that is not what the actions say as well as a
// push rule, 403 a protected branch as well as a role, a scope or an archive. What words do not tell, one or two more questions do.
import { CoregitError, type ErrorCode } from "../../domain/errors.ts";
import type { CommitPlan } from "../commit-api.ts";
import { createQuote } from "../git/remote-text.ts";
import type { GitLabClient } from "./client.ts";
import { type GitLabRefusal, refusalIn } from "./errors.ts";

export type CommitTarget = {
  readonly client: Pick<GitLabClient, "branches" | "projects">;
  /** `group/sub/project` */
  readonly project: string;
  readonly plan: Pick<CommitPlan, "branch">;
};

/** Where the words of a 4xx lead; texts of GitLab and of Gitaly. The first that fits counts; none: a rule of the project's own. */
const MEANINGS: readonly (readonly [words: RegExp, code: ErrorCode, advice: string])[] = [
  [
    /has changed since you started editing|(?:file|directory) with this name|when you are on a branch|could not update refs/i,
    "RemoteMoved",
    "Somebody else has changed it in the meantime.",
  ],
  [/^400 Bad request/, "RemoteProtocol", "It does not take the request as its API documents it."],
  [/secrets? (?:was |were )?detected|secret push protection/i, "SecretDetected", "Take it out, and end it where it is valid."],
  [/protected branch/i, "RemoteBranchProtected", "Let this credential push to the branch, or export to another one."],
  [
    /exceed(?:s|ed)? .*(?:size|limit)|too large|maximum allowed size/i,
    "RemoteTooLarge",
    "Leave the file out, or raise the project's limit.",
  ],
];

/**
 * What a commit failed with, after GitLab has answered: nothing was committed. Asks for the project and the branch where that
 * tells more; never throws.
 */
export async function commitFailure(failure: CoregitError, target: CommitTarget): Promise<CoregitError> {
  const refusal = refusalIn(failure);
  if (refusal === null) return failure;
  const { branch } = target.plan;
  const explain = (code: ErrorCode, sentence: string): CoregitError =>
    new CoregitError(code, `The commit to ${branch} was refused: ${sentence}`, { cause: failure, details: { branch } });
  switch (refusal.status) {
    case 400:
    case 409:
    case 422:
      return explain(...meaningOf(refusal));
    case 403:
      return (await denial(refusal, target, explain)) ?? failure;
    case 404:
      return (await canReadProject(target))
        ? explain("AccessDenied", `the credential may only read the project. ${ROLE}`)
        : failure;
    case 405:
      return explain("RedirectRefused", `the project has another name now (${quote(refusal.said)}). Declare that.`);
    case 413:
      return explain("RemoteTooLarge", "the request is larger than the server takes (HTTP 413). Set `transport: git`.");
    default:
      return failure;
  }
}

const quote = createQuote([]);
const ROLE = "Give it the role Developer at least, and the scope `api`.";

function meaningOf({ status, said }: GitLabRefusal): [ErrorCode, string] {
  const [, code, advice] = MEANINGS.find(([words]) => words.test(said)) ?? [
    null,
    "RemoteRefused" as const,
    "Change what its rule names, or the rule.",
  ];
  return [code, `${said === "" ? `HTTP ${status}` : quote(said)}. ${advice}`];
}

type Explain = (code: ErrorCode, sentence: string) => CoregitError;

async function denial(refusal: GitLabRefusal, target: CommitTarget, explain: Explain): Promise<CoregitError | null> {
  if (refusal.oauthCode === "insufficient_scope") {
    return explain("AccessDenied", "the credential lacks the scope `api`. Give it that scope, or set `transport: git`.");
  }
  const { client, project, plan } = target;
  const found = await client.projects.show(project).catch(() => null);
  if (found?.archived === true) return explain("RemoteArchived", "the project is archived. Unarchive it.");
  const there = await client.branches.show(project, plan.branch).catch(() => null);
  if (there?.protected === true) {
    return explain("RemoteBranchProtected", "the branch is protected. Let this credential push to it, or export to another one.");
  }
  return there === null ? null : explain("AccessDenied", `${quote(refusal.said)}. ${ROLE}`);
}

async function canReadProject({ client, project, plan }: CommitTarget): Promise<boolean> {
  return client.branches.show(project, plan.branch).then(
    () => true,
    () => false,
  );
}
