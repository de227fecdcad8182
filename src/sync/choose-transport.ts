// Which way an export reaches its remote. The one place that decides: by the declaration first, and by default (`auto`) the
// provider's API where it makes the very commit that is planned in few requests, else git, which carries anything in two or three.
import { CoregitError, type ErrorCode } from "../domain/errors.ts";
import type { Transport } from "../domain/sync-spec.ts";
import type { CommitApi, CommitPlan, Judgement } from "../remotes/commit-api.ts";
import type { Remote } from "../remotes/remote.ts";

/** Beyond, a push is the politer way: providers count writes by the API far more strictly than pushes. */
const MOST_CALLS = 20;
/** For a commit that the provider signs, which no push gets. GitHub allows 180 writes a minute and in general 500 an hour. */
const MOST_CALLS_SIGNED = 100;

/**
 * Null: git.
 * @throws CoregitError `TransportUnsuited` when the declaration demands the API and the API cannot; those of `CommitApi.judge`.
 */
export async function chooseTransport(
  transport: Transport,
  remote: Pick<Remote, "commitApi">,
  plan: CommitPlan,
  signal: AbortSignal,
): Promise<CommitApi | null> {
  const api = remote.commitApi;
  if (transport === "git") return null;
  if (transport === "api") return await demand(api, plan, signal);
  return api !== null && isBetter(await api.judge(plan, MOST_CALLS_SIGNED, signal)) ? api : null;
}

/** What the API denies a token that is for git alone, and what a server has switched off. */
const LEFT_TO_GIT: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["AccessDenied", "TransportUnsuited"]);

/**
 * Whether git may do what the API has just refused. Nothing was committed then; and where something was, and only reading it is denied,
 * the push finds the branch moved.
 */
export function mayBePushed(transport: Transport, failure: unknown): boolean {
  return transport === "auto" && failure instanceof CoregitError && LEFT_TO_GIT.has(failure.code);
}

async function demand(api: CommitApi | null, plan: CommitPlan, signal: AbortSignal): Promise<CommitApi> {
  if (api === null) throw unsuited("The remote has no API for commits, or the connection has no token for it.");
  const judgement = await api.judge(plan, 0, signal);
  if (judgement.kind === "unsuited") throw unsuited(`The provider's API ${judgement.reason}.`);
  return api;
}

function isBetter(judgement: Judgement): boolean {
  if (judgement.kind === "unsuited") return false;
  return judgement.calls <= (judgement.isSigned ? MOST_CALLS_SIGNED : MOST_CALLS);
}

function unsuited(reason: string): CoregitError {
  return new CoregitError(
    "TransportUnsuited",
    `${reason} The sync demands \`transport: api\`; with \`auto\` or \`git\` it is pushed.`,
  );
}
