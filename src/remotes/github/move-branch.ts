// The step that counts: the branch moves from the commit that the plan was made from to the new one, or not at all. GraphQL's
// `updateRefs` is GitHub's only compare-and-swap; REST moves a branch that somebody has set back meanwhile.
import { CoregitError } from "../../domain/errors.ts";
import { type Oid, ZERO_OID } from "../../domain/oid.ts";
import { branchRef } from "../../domain/ref-name.ts";
import { remoteMoved } from "../git/push.ts";
import { type Conversation, isUnsettled } from "./conversation.ts";

const UPDATE = `mutation ($input: UpdateRefsInput!) {
  updateRefs(input: $input) { clientMutationId }
}`;

/** Repeating is safe: whichever comes first takes the branch away from where the other expects it. */
const ATTEMPTS = 2;

/** @throws CoregitError `RemoteMoved`, and what refuses it. */
export async function moveBranch(conversation: Conversation, next: Oid): Promise<void> {
  for (let attempts = 1; ; attempts += 1) {
    const failure = await tryMove(conversation, next);
    if (failure === null) return;
    if (attempts === ATTEMPTS) throw failure;
  }
}

/** Null: the branch is there. A failure: it is still where it was, as far as can be seen. @throws CoregitError for what is settled. */
async function tryMove(conversation: Conversation, next: Oid): Promise<CoregitError | null> {
  try {
    await updateRefs(conversation, next);
    return null;
  } catch (error) {
    // What else a refusal without a meaning of its own says is that the branch is elsewhere, or that a replica lags behind.
    if (!isUnsettled(error)) throw error;
    const place = await findBranch(conversation, next);
    if (place === "elsewhere") throw movedBy(error, conversation.plan.branch);
    if (place === "unknown") throw error;
    return place === "there" ? null : error;
  }
}

type Place = "there" | "unmoved" | "elsewhere" | "unknown";

async function findBranch({ plan, readHead }: Conversation, next: Oid): Promise<Place> {
  const head = await readHead().catch(() => undefined);
  if (head === undefined) return "unknown";
  if (head === next) return "there";
  return head === (plan.expected?.commit ?? null) ? "unmoved" : "elsewhere";
}

function movedBy(cause: CoregitError, branch: string): CoregitError {
  const { message, details } = remoteMoved(branch);
  return new CoregitError("RemoteMoved", message, { details, cause });
}

type Moved = { readonly updateRefs?: object | null };

async function updateRefs({ octokit, plan, nodeId, askOnce }: Conversation, next: Oid): Promise<void> {
  const update = { name: branchRef(plan.branch), beforeOid: plan.expected?.commit ?? ZERO_OID, afterOid: next, force: false };
  const input = { repositoryId: nodeId, refUpdates: [update] };
  const paths = [...plan.changes.keys()];
  const answer = await askOnce({ kind: "move", paths }, () => octokit.graphql<Moved | null | undefined>(UPDATE, { input }));
  if (answer?.updateRefs) return;
  throw new CoregitError("RemoteProtocol", "GitHub's answer does not tell what became of the branch.");
}
