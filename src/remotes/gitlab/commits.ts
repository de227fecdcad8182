// Commits by GitLab's API: one request each, which makes objects, commit and the branch's move. It has no compare-and-swap on the
// branch; each path is guarded instead, so that a commit on top of somebody else's does not undo what that one did. The tree that
// came of it tells, as the engine looks at every commit whose bytes are not known here.
import { CoregitError, type ErrorCode } from "../../domain/errors.ts";
import { isOid } from "../../domain/oid.ts";
import { notTheApi } from "../api-failure.ts";
import type { ApiSession } from "../api-session.ts";
import type { CommitApi, CommitApiOptions, CommitPlan, Judgement, MadeCommit } from "../commit-api.ts";
import { type GitLabClient, openGitLab } from "./client.ts";
import { type CommitActions, commitActions } from "./commit-actions.ts";
import { type AnsweredCommit, commitBytes } from "./commit-bytes.ts";
import { refusalIn } from "./errors.ts";
import { type CommitTarget, commitFailure } from "./refusals.ts";

/** Failures after which the commit may have been made all the same, unless GitLab itself refused. */
const UNSETTLED_CODES: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["RemoteUnreachable", "RemoteTooSlow", "RemoteProtocol"]);

/**
 * GitLab looks up the last commit of each guarded path, in a history of any length, and ends a request after 60 s: with as many actions
 * as one may have it is waited for as long as that, and a moment more.
 * https://docs.gitlab.com/administration/operations/puma/#change-the-worker-timeout
 */
const WORK_MS_EACH = 100;

export class GitLabCommits implements CommitApi {
  readonly lookup = null;
  readonly #options: CommitApiOptions;
  /** What was prepared to judge a plan is what is sent. */
  readonly #prepared = new WeakMap<CommitPlan, CommitActions>();
  #calls = 0;

  constructor(options: CommitApiOptions) {
    this.#options = options;
  }

  get calls(): number {
    return this.#calls;
  }

  async judge(plan: CommitPlan, _enough: number, signal: AbortSignal): Promise<Judgement> {
    const prepared = await this.#prepare(plan, signal);
    return prepared.kind === "unsuited" ? prepared : { kind: "suited", calls: 1, isSigned: false };
  }

  async commit(plan: CommitPlan, signal: AbortSignal): Promise<MadeCommit> {
    const prepared = await this.#prepare(plan, signal);
    if (prepared.kind === "unsuited") throw new CoregitError("TransportUnsuited", `The API of GitLab ${prepared.reason}.`);
    const { openSession, token, project } = this.#options;
    await using session = openSession(signal, prepared.actions.length * WORK_MS_EACH);
    try {
      const client = await openGitLab(session, token);
      return await this.#commit({ session, client, plan, project }, prepared.actions);
    } finally {
      this.#calls += session.calls;
    }
  }

  async #prepare(plan: CommitPlan, signal: AbortSignal): Promise<CommitActions> {
    const prepared = this.#prepared.get(plan) ?? (await commitActions(plan, signal));
    this.#prepared.set(plan, prepared);
    return prepared;
  }

  async #commit(asked: Asked, actions: Actions): Promise<MadeCommit> {
    try {
      return await this.#send(asked, actions);
    } catch (error) {
      if (!(error instanceof CoregitError) || asked.session.signal.aborted) throw error;
      if (isUnsettled(error)) return await this.#settle(asked, error);
      throw await commitFailure(error, asked);
    }
  }

  async #send({ session, client, plan, project }: Asked, actions: Actions): Promise<MadeCommit> {
    const { name: authorName, email: authorEmail } = plan.signature;
    const options = { authorName, authorEmail, stats: false };
    const answer = await client.commits.create(project, plan.branch, plan.message, [...actions], options);
    const made = madeCommit(answer ?? {}, plan);
    if (made === null) throw notTheApi(session.url.host);
    return made;
  }

  /** The branch tells what became of a commit whose answer was lost. @throws CoregitError `RemoteMoved`, or `failure`. */
  async #settle({ client, project, plan }: Asked, failure: CoregitError): Promise<MadeCommit> {
    const branch = await client.branches.show(project, plan.branch).catch(() => null);
    const head = branch?.commit;
    const made = head === undefined ? null : madeCommit(head, plan);
    if (head === undefined || made === null || made.oid === plan.expected?.commit) throw failure;
    if (isPlanned(head, plan)) return made;
    throw new CoregitError("RemoteMoved", `The remote's branch ${plan.branch} has moved since it was read.`, {
      cause: failure,
      details: { branch: plan.branch },
    });
  }
}

type Actions = Extract<CommitActions, { kind: "suited" }>["actions"];

type Asked = CommitTarget & { readonly session: ApiSession; readonly client: GitLabClient; readonly plan: CommitPlan };

/** Null: the answer describes no commit. */
function madeCommit(answer: AnsweredCommit, plan: CommitPlan): MadeCommit | null {
  const { id } = answer;
  return typeof id === "string" && isOid(id) ? { oid: id, content: commitBytes(answer, plan) } : null;
}

/** Whether it is this plan's commit on top of what was expected, as far as GitLab tells. */
function isPlanned({ parent_ids, message }: AnsweredCommit, { expected, message: planned }: CommitPlan): boolean {
  const [parent, ...others] = Array.isArray(parent_ids) ? parent_ids : [];
  if (typeof message !== "string" || others.length > 0) return false;
  return parent === expected?.commit && message.trimEnd() === planned.trimEnd();
}

function isUnsettled(failure: CoregitError): boolean {
  const status = refusalIn(failure)?.status ?? null;
  return UNSETTLED_CODES.has(failure.code) && (status === null || status >= 500 || status === 408);
}
