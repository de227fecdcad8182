// The planned tree, made by requests that each build on the one before. GitHub ends what takes it too long, at sizes that vary: then
// less is asked at once. Trees are named by their content, so that asking again changes nothing.
// Limits seen: 200 to 3,000 entries, 2.5 MB (https://github.com/orgs/community/discussions, "Sorry, your request timed out").

import { CoregitError } from "../../domain/errors.ts";
import { EMPTY_TREE, isOid, type Oid } from "../../domain/oid.ts";
import { type Conversation, isUnsettled } from "./conversation.ts";
import { TooMuchAtOnce } from "./refusals.ts";
import { type PlannedEntry, type TreeItem, treeItem } from "./tree-entries.ts";

export const ENTRIES_AT_ONCE = 200;
/** Text in one request. */
const TEXT_AT_ONCE = 1536 * 1024;
/** Enough to come down from 200 entries to one. */
const REFUSALS = 8;

export type TreePlan = {
  /** In the order in which they are to be sent. */
  readonly entries: readonly PlannedEntry[];
  /** Blobs whose content goes with the entry. */
  readonly inline: ReadonlySet<Oid>;
};

/** @throws CoregitError `RemoteTreeDiffers` when GitHub ends with another tree than the planned one. */
export async function sendTrees(conversation: Conversation, { entries, inline }: TreePlan): Promise<void> {
  const { plan } = conversation;
  let base = plan.expected?.tree ?? EMPTY_TREE;
  let atOnce = ENTRIES_AT_ONCE;
  let refusals = 0;
  for (let start = 0; start < entries.length; ) {
    const items = await nextItems(conversation, { entries: entries.slice(start, start + atOnce), inline });
    try {
      base = await sendTree(conversation, base, items);
      start += items.length;
    } catch (error) {
      refusals += 1;
      const mayHelp = error instanceof TooMuchAtOnce || isUnsettled(error);
      if (!mayHelp || refusals > REFUSALS) throw error;
      atOnce = Math.ceil(items.length / 2);
    }
  }
  if (base === plan.tree) return;
  const message = `GitHub made the tree ${base} of the plan's files, and ${plan.tree} is planned. The branch was not moved.`;
  throw new CoregitError("RemoteTreeDiffers", message, { details: { branch: plan.branch } });
}

/** One at least, and then as many as the text allows. */
async function nextItems({ plan }: Conversation, { entries, inline }: TreePlan): Promise<TreeItem[]> {
  const items: TreeItem[] = [];
  let text = 0;
  for (const entry of entries) {
    const isText = entry.after !== null && inline.has(entry.after.oid);
    const content = isText && entry.after !== null ? await plan.blobs.read(entry.after.oid) : null;
    text += content?.byteLength ?? 0;
    if (items.length > 0 && text > TEXT_AT_ONCE) break;
    items.push(treeItem(entry, content));
  }
  return items;
}

async function sendTree({ octokit, repository, askOnce }: Conversation, base: Oid, tree: TreeItem[]): Promise<Oid> {
  const paths = tree.map(({ path }) => path);
  const onTop = base === EMPTY_TREE ? {} : { base_tree: base };
  const { data } = await askOnce({ kind: "tree", paths }, () => octokit.rest.git.createTree({ ...repository, ...onTop, tree }));
  const sha: unknown = data?.sha;
  if (typeof sha === "string" && isOid(sha)) return sha;
  throw new CoregitError("RemoteProtocol", "GitHub's answer names no tree.");
}
