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

/** Name of the repository, and what else a commit has to know of it. */
export type RepositoryFacts = {
  /** GitHub's number; null: it is too large for GraphQL to tell. */
  readonly id: string | null;
  readonly nodeId: string;
  /** `owner/repo` as it is now. */
  readonly fullName: string;
  readonly isArchived: boolean;
};

const REPOSITORY = `query ($owner: String!, $name: String!) {
  repository(owner: $owner, name: $name, followRenames: true) {
    id
    databaseId
    nameWithOwner
    isArchived
  }
}`;

type RepositoryAnswer = {
  readonly repository?: {
    readonly id?: unknown;
    readonly databaseId?: unknown;
    readonly nameWithOwner?: unknown;
    readonly isArchived?: unknown;
  } | null;
};

const HEAD = `query ($owner: String!, $name: String!, $ref: String!) {
  repository(owner: $owner, name: $name, followRenames: true) {
    ref(qualifiedName: $ref) { target { oid } }
  }
}`;

type HeadAnswer = { readonly repository?: { readonly ref?: { readonly target?: { readonly oid?: unknown } } | null } | null };

type Asking = { readonly session: ApiSession; readonly token: string; readonly project: string; readonly branch: string };

/**
 * Asks GitHub for the repository by the name that it has or had.
 * @throws CoregitError `RemoteNotFound`, and those of `CommitApi.commit` for any request.
 */
export async function readFacts(asking: Asking): Promise<RepositoryFacts> {
  const octokit = await openOctokit(asking.session, asking.token);
  const { ask } = askers(asking);
  const [owner = "", name = ""] = asking.project.split("/");
  const read = () => octokit.graphql<RepositoryAnswer | null>(REPOSITORY, { owner, name });
  const { id, databaseId, nameWithOwner, isArchived } = (await ask({ kind: "read", paths: [] }, read))?.repository ?? {};
  if (typeof id !== "string" || typeof nameWithOwner !== "string") throw notTheApi(asking.session.url.host);
  return {
    id: Number.isSafeInteger(databaseId) ? String(databaseId) : null,
    nodeId: id,
    fullName: nameWithOwner,
    isArchived: isArchived === true,
  };
}

type Opening = Omit<Asking, "branch"> & { readonly plan: CommitPlan; readonly facts: RepositoryFacts };

/** @throws CoregitError `RemoteArchived`. */
export async function openConversation({ session, token, project, plan, facts }: Opening): Promise<Conversation> {
  const { nodeId, fullName, isArchived } = facts;
  if (isArchived) {
    const message = `${fullName} is archived: GitHub takes no commit there. Unarchive it, or suspend the sync.`;
    throw new CoregitError("RemoteArchived", message);
  }
  const octokit = await openOctokit(session, token);
  const [owner = "", repo = ""] = fullName.split("/");
  const { ask, askOnce } = askers({ session, project, branch: plan.branch });
  const variables = { owner, name: repo, ref: branchRef(plan.branch) };
  const readHead = async () => {
    const answer = await ask({ kind: "read", paths: [] }, () => octokit.graphql<HeadAnswer | null>(HEAD, variables));
    return headIn(answer, session);
  };
  return { octokit, plan, repository: { owner, repo }, nodeId, ask, askOnce, readHead };
}

function headIn(answer: HeadAnswer | null, session: ApiSession): Oid | null {
  if (!answer?.repository) throw notTheApi(session.url.host);
  const oid = answer.repository.ref?.target?.oid ?? null;
  if (oid !== null && !(typeof oid === "string" && isOid(oid))) throw notTheApi(session.url.host);
  return oid;
}

function askers({ session, project, branch }: Omit<Asking, "token">): Pick<Conversation, "ask" | "askOnce"> {
  const askOnce: Conversation["askOnce"] = (step, request) => writing(session, { ...step, project, branch }, request);
  return {
    askOnce,
    ask: (step, request) => again(() => session.repeat(() => askOnce(step, request)), session.signal),
  };
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
