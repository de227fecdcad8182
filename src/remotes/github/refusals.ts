// What GitHub's refusals of a commit mean, and what is to be changed. It has statuses and sentences but few codes, so sentences are
// read where nothing else tells; what is not known keeps its general meaning.
// Sentences: https://docs.github.com/rest/git, and what GitHub answers.
import { CoregitError, type ErrorCode } from "../../domain/errors.ts";
import type { ApiSession } from "../api-session.ts";
import { createQuote } from "../git/remote-text.ts";
import { type GraphFailure, gitHubFailure, graphStatus, isGraphFailure, isRefusal, messageOf, type Refusal } from "./errors.ts";

/** Which step was refused, and over which files. */
export type Step = {
  readonly kind: "read" | "blob" | "tree" | "commit" | "move";
  /** `owner/repo`. */
  readonly project: string;
  /** Paths that the request writes. Those of a blob are shown: displayable. */
  readonly paths: readonly string[];
  readonly branch: string;
};

/** A tree request that was too much for GitHub at once. Smaller ones may do. */
export class TooMuchAtOnce extends CoregitError {}

/** Runs one request of a commit. @throws CoregitError for whatever octokit throws. */
export async function writing<T>(session: ApiSession, step: Step, request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    throw failureOf(error, session, step);
  }
}

/** Of limits and credentials the statuses say all there is to say. */
const GENERAL: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["RateLimited", "AuthenticationFailed"]);

function failureOf(error: unknown, session: ApiSession, step: Step): CoregitError {
  const general = gitHubFailure(error, session);
  if (GENERAL.has(general.code)) return general;
  const refused = refusalIn(error);
  return (refused === null ? null : meaningOf(refused, step, error)) ?? general;
}

function refusalIn(error: unknown): Refused | null {
  if (isGraphFailure(error)) return graphRefusal(error);
  return isRefusal(error) ? restRefusal(error) : null;
}

type Refused = {
  readonly status: number;
  readonly said: string;
  /** `contents=write; workflows=write`, where GitHub names what is missing. */
  readonly wanted: string;
  /** Of a classic token; null: it is none, or GitHub does not say. */
  readonly scopes: readonly string[] | null;
  readonly isSecret: boolean;
  /** GraphQL has said so itself. */
  readonly isGraph: boolean;
};

function restRefusal({ status, response: { headers, data } }: Refusal): Refused {
  const isSecret = typeof data === "object" && data !== null && "metadata" in data && hasSecret(data.metadata);
  const scopes = headers["x-oauth-scopes"]?.split(",").map((scope) => scope.trim()) ?? null;
  return {
    status,
    said: messageOf(data),
    wanted: headers["x-accepted-github-permissions"] ?? "",
    scopes,
    isSecret,
    isGraph: false,
  };
}

function hasSecret(metadata: unknown): boolean {
  return typeof metadata === "object" && metadata !== null && "secret_scanning" in metadata;
}

function graphRefusal(failure: GraphFailure): Refused {
  const said = failure.errors[0]?.message ?? "";
  return { status: graphStatus(failure), said, wanted: "", scopes: null, isSecret: false, isGraph: true };
}

type Meaning = {
  readonly when: (refused: Refused, step: Step) => boolean;
  readonly code: ErrorCode;
  readonly sentence: (step: Step) => string;
};

const WORKFLOWS = /^\.github\/workflows\//;

/** GitHub says 404 or 403 of workflow files that a credential may not write which may write all others. */
function lacksWorkflows({ status, wanted, scopes }: Refused, { kind, paths }: Step): boolean {
  if (/\bworkflows=/.test(wanted)) return true;
  if (status !== 403 && status !== 404) return false;
  const isWriter = wanted === "" && (scopes === null || scopes.some((scope) => /^(?:public_)?repo$/.test(scope)));
  const isAsked = (kind === "tree" || kind === "move") && paths.some((path) => WORKFLOWS.test(path));
  return isAsked && isWriter && scopes?.includes("workflow") !== true;
}

/** Classic protection has a sentence for each of its rules. */
const PROTECTION =
  /protected branch|not authorized to push|status check|appro(?:ving|ved) review|merge commits|verified signatures|creations being restricted|through a pull request|^reference update failed/i;

const isOf = ({ kind }: Step, ...kinds: readonly Step["kind"][]): boolean => kinds.includes(kind);
const isTooMuch = ({ status, said }: Refused): boolean =>
  status >= 500 || status === 405 || status === 413 || (status === 422 && /timed out|too large/i.test(said));

/** Which repository it is and the move of the branch are asked of GraphQL, which answers 200 to whatever it takes up. */
const lacksGraphQl = ({ status, isGraph }: Refused, step: Step): boolean =>
  !isGraph && isOf(step, "read", "move") && [404, 405, 410, 501].includes(status);

/** The first that fits counts. */
const MEANINGS: readonly Meaning[] = [
  {
    when: lacksGraphQl,
    code: "TransportUnsuited",
    sentence: ({ project }) =>
      `The server of ${project} does not offer GraphQL, without which its API cannot move a branch safely. Let /api/graphql through, or set transport to git or auto.`,
  },
  {
    when: ({ status, said }) => (status === 403 || status === 422) && /archived|read-only/i.test(said),
    code: "RemoteArchived",
    sentence: ({ project }) => `${project} is archived: GitHub takes no commit there. Unarchive it, or suspend the sync.`,
  },
  {
    when: ({ isSecret, said }) => isSecret || /secret detected|secret scanning/i.test(said),
    code: "SecretDetected",
    sentence: (step) =>
      `GitHub's push protection found a secret${within(step)}. Take it out, or allow it in the secret scanning of ${step.project}.`,
  },
  {
    when: ({ status, said }) => status === 403 && /\bSAML\b/.test(said),
    code: "AccessDenied",
    sentence: ({ project }) =>
      `The organization of ${project} wants the token authorized for single sign-on; do so in the token's settings at GitHub.`,
  },
  {
    when: lacksWorkflows,
    code: "WorkflowScopeMissing",
    sentence: ({ project }) =>
      `The credential may not write .github/workflows of ${project}; give a classic token the scope workflow, any other the permission Workflows: write.`,
  },
  {
    when: ({ status }) => status === 403,
    code: "AccessDenied",
    sentence: ({ project }) => `GitHub denies the credential this of ${project}; it needs the permission Contents: write.`,
  },
  {
    when: ({ status }, step) => status === 404 && !isOf(step, "read"),
    code: "AccessDenied",
    sentence: ({ project }) =>
      `GitHub lets the credential read ${project} and not write it; it needs the scope repo (public_repo for a public one) or the permission Contents: write, and its owner write access.`,
  },
  {
    when: ({ status }) => status === 404,
    code: "RemoteNotFound",
    sentence: ({ project }) => `GitHub has no repository ${project}, or hides it from the credential.`,
  },
  {
    when: ({ status }) => status === 409,
    code: "RemoteMoved",
    sentence: ({ project }) => `${project} has no commits, or is not ready yet.`,
  },
  {
    when: (refused, step) => isTooMuch(refused) && step.kind === "blob" && refused.status < 500,
    code: "RemoteTooLarge",
    sentence: (step) => `GitHub takes no file as large as one${within(step)}. Leave it out, or set transport to git.`,
  },
  {
    when: ({ said }) => /^repository rule violations found/i.test(said),
    code: "RemoteRefused",
    sentence: ({ project, branch }) =>
      `A ruleset of ${project} refuses the commit to ${branch}. Let the credential bypass it, change the rule, or export to another branch.`,
  },
  {
    when: ({ said }, { kind }) => kind === "move" && PROTECTION.test(said),
    code: "RemoteBranchProtected",
    sentence: ({ project, branch }) =>
      `${project} protects ${branch} from this commit. Let the credential push to it, or export to another branch.`,
  },
];

function meaningOf(refused: Refused, step: Step, cause: unknown): CoregitError | null {
  const details = { branch: step.branch, ...(step.kind === "blob" ? { paths: step.paths } : {}) };
  if (step.kind === "tree" && isTooMuch(refused)) {
    const code = refused.status >= 500 ? "RemoteUnreachable" : "RemoteTooLarge";
    const message = `GitHub makes no tree of so many files of ${step.project} in one request (HTTP ${refused.status}).`;
    return new TooMuchAtOnce(code, message, { cause });
  }
  const meaning = MEANINGS.find(({ when }) => when(refused, step));
  if (meaning === undefined) return null;
  const words = refused.said === "" ? "" : ` It says: ${createQuote([])(refused.said)}.`;
  return new CoregitError(meaning.code, `${meaning.sentence(step)}${words}`, { details, cause });
}

function within({ kind, paths: [path] }: Step): string {
  return kind === "blob" && path !== undefined ? ` in ${path}` : "";
}
