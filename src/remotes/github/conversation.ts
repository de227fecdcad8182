// What the steps of one commit share: the client, the repository as GitHub knows it now, the plan, and how requests are asked and
// asked again.
import type { Octokit } from "octokit";
import { CoregitError, type ErrorCode } from "../../domain/errors.ts";
import type { Oid } from "../../domain/oid.ts";
import { isOid } from "../../domain/oid.ts";
import { branchRef } from "../../domain/ref-name.ts";
import { notTheApi } from "../api-failure.ts";
import type { ApiSession } from "../api-session.ts";
import type { CommitPlan } from "../commit-api.ts";
import { openOctokit } from "./client.ts";
import { type Step, writing } from "./refusals.ts";

export type Conversation = {
  readonly octokit: Octokit;
  readonly plan: CommitPlan;
  readonly repository: { readonly owner: string; readonly repo: string };
  /** Name of the repository in GraphQL. */
  readonly nodeId: string;
  /** Asks what may be asked twice, and does so when the answer does not come. @throws CoregitError. */
  ask<T>(step: Pick<Step, "kind" | "paths">, request: () => Promise<T>): Promise<T>;
  /** Asks once. @throws CoregitError. */
  askOnce<T>(step: Pick<Step, "kind" | "paths">, request: () => Promise<T>): Promise<T>;
  /** Where the branch is; null: there is none. May be behind what was just written. @throws CoregitError. */
  readHead(): Promise<Oid | null>;
};

/** No answer, or none that says anything of the request. */
const UNSETTLED: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["RemoteUnreachable", "RemoteTooSlow", "RemoteProtocol"]);

export function isUnsettled(error: unknown): error is CoregitError {
  return error instanceof CoregitError && UNSETTLED.has(error.code);
}

const REPOSITORY = `query ($owner: String!, $name: String!, $ref: String!) {
  repository(owner: $owner, name: $name, followRenames: true) {
    id
    nameWithOwner
    isArchived
    ref(qualifiedName: $ref) { target { oid } }
  }
}`;

type RepositoryAnswer = {
  readonly repository?: {
    readonly id?: unknown;
    readonly nameWithOwner?: unknown;
    readonly isArchived?: unknown;
    readonly ref?: { readonly target?: { readonly oid?: unknown } } | null;
  } | null;
};

type Opening = { readonly session: ApiSession; readonly token: string; readonly project: string; readonly plan: CommitPlan };

/**
 * Asks GitHub for the repository by the name that it has or had.
 * @throws CoregitError `RemoteNotFound`, `RemoteArchived`, and those of `CommitApi.commit` for any request.
 */
export async function openConversation({ session, token, project, plan }: Opening): Promise<Conversation> {
  const octokit = await openOctokit(session, token);
  const whole = (step: Pick<Step, "kind" | "paths">): Step => ({ ...step, project, branch: plan.branch });
  const askOnce: Conversation["askOnce"] = (step, request) => writing(session, whole(step), request);
  const ask: Conversation["ask"] = (step, request) => again(() => session.repeat(() => askOnce(step, request)), session.signal);
  const read = async () => {
    const [owner = "", name = ""] = project.split("/");
    const variables = { owner, name, ref: branchRef(plan.branch) };
    const answer = await ask({ kind: "read", paths: [] }, () => octokit.graphql<RepositoryAnswer | null>(REPOSITORY, variables));
    return readRepository(answer, session);
  };
  const { nodeId, nameWithOwner, isArchived } = await read();
  if (isArchived) {
    const message = `${nameWithOwner} is archived: GitHub takes no commit there. Unarchive it, or suspend the sync.`;
    throw new CoregitError("RemoteArchived", message);
  }
  const [owner = "", repo = ""] = nameWithOwner.split("/");
  return { octokit, plan, repository: { owner, repo }, nodeId, ask, askOnce, readHead: async () => (await read()).head };
}

function readRepository(answer: RepositoryAnswer | null, session: ApiSession) {
  const { id, nameWithOwner, isArchived, ref } = answer?.repository ?? {};
  const oid = ref?.target?.oid ?? null;
  if (typeof id !== "string" || typeof nameWithOwner !== "string") throw notTheApi(session.url.host);
  if (oid !== null && !(typeof oid === "string" && isOid(oid))) throw notTheApi(session.url.host);
  return { nodeId: id, nameWithOwner, isArchived: isArchived === true, head: oid };
}

/** The session sees to connections and 5xx; a stall, and an object that a replica does not know yet, are worth a second try. */
async function again<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    if (!isUnsettled(error) || error.code === "RemoteUnreachable" || signal.aborted) throw error;
    return attempt();
  }
}
