// Trees: entries are applied to the base in their order, as GitHub's index does it. Without `base_tree` the result has nothing but
// the entries. What is too much is refused as reports of GitHub show it, and may have been written all the same.

import { Refusal } from "../../answer.ts";
import { isObjectId, type TreeItem } from "../../bare-repository.ts";
import type { GitHubCall, GitHubRoute, RouteAnswer } from "../call.ts";
import { READ_CONTENTS, WRITE_CONTENTS } from "../credentials.ts";
import { treeJson } from "../git-models.ts";
import { refuseSecret, refuseWorkflow } from "../push-protection.ts";
import { apiRefusal, emptyRepository, notFound, unprocessable } from "../refusals.ts";
import type { GitHubRepository } from "../repository.ts";
import type { GitHubSizes } from "../sizes.ts";

type Entry = {
  readonly path: string;
  readonly mode: string;
  readonly type: string;
  readonly sha?: string | null;
  readonly content?: string;
};
type Files = Map<string, { readonly mode: string; readonly oid: string }>;

const PAGE = "rest/git/trees#create-a-tree";
const TYPE_OF_MODE: Readonly<Record<string, string>> = {
  "100644": "blob",
  "100755": "blob",
  "120000": "blob",
  "040000": "tree",
  "160000": "commit",
};
const TIMED_OUT =
  "Sorry, your request timed out.  It's likely that your input was too large to process.  Consider building the tree incrementally, or building the commits you need in a local clone of the repository and then pushing them to GitHub.";
const BAD_STATE = "GitRPC::BadObjectState";

const bytes = (path: string): string => Buffer.from(path, "utf8").toString("latin1");

function checkEntry(entry: Entry): void {
  if (typeof entry.path !== "string" || entry.path === "") throw unprocessable("Must supply tree.path", PAGE);
  if (entry.path.split("/").some((part) => part === "" || part === "." || part === "..")) {
    throw unprocessable("tree.path contains a malformed path component", PAGE);
  }
  const type = TYPE_OF_MODE[entry.mode];
  if (type === undefined) throw unprocessable("Must supply a valid tree.mode", PAGE);
  if (entry.type !== undefined && entry.type !== type) throw unprocessable("tree.type does not match tree.mode", PAGE);
  const hasSha = entry.sha !== undefined;
  const hasContent = entry.content !== undefined;
  if (hasSha === hasContent) {
    throw unprocessable("Must supply either tree.sha or tree.content. Request will be rejected if both are present.", PAGE);
  }
}

/** A path and one below it cannot both be written. */
function checkNesting(entries: readonly Entry[]): void {
  const written = new Set(entries.filter(({ sha }) => sha !== null).map(({ path }) => path));
  for (const path of written) {
    const parts = path.split("/");
    const isBelow = parts.some((_part, index) => index > 0 && written.has(parts.slice(0, index).join("/")));
    if (isBelow) throw unprocessable(BAD_STATE, PAGE);
  }
}

async function applyTree(files: Files, path: string, oid: string, repository: GitHubRepository): Promise<void> {
  if (!(await repository.git.isType(oid, "tree"))) throw unprocessable(BAD_STATE, PAGE);
  for (const key of [...files.keys()]) if (key.startsWith(`${path}/`)) files.delete(key);
  for (const item of await repository.git.list(oid, { recursive: true })) {
    files.set(`${path}/${item.path}`, { mode: item.mode, oid: item.oid });
  }
}

async function applyEntry(files: Files, entry: Entry, repository: GitHubRepository): Promise<void> {
  const path = bytes(entry.path);
  const { mode, sha, content } = entry;
  if (sha === null) {
    if (!files.delete(path)) throw unprocessable(BAD_STATE, PAGE);
    return;
  }
  if (mode === "040000") return applyTree(files, path, sha ?? "", repository);
  // Written last, so that the index puts it in the place of whatever was there.
  files.delete(path);
  if (content !== undefined) {
    const blob = Buffer.from(content, "utf8");
    refuseSecret(repository, blob, PAGE);
    files.set(path, { mode, oid: await repository.git.write("blob", blob) });
    return;
  }
  const isKnown = isObjectId(sha) && (mode === "160000" || (await repository.git.isType(sha, "blob")));
  if (!isKnown || sha === undefined) throw unprocessable(BAD_STATE, PAGE);
  files.set(path, { mode, oid: sha });
}

async function readBase(repository: GitHubRepository, base: string | null): Promise<Files> {
  if (base === null) return new Map();
  const tree = isObjectId(base) ? await repository.git.resolve(base, "tree") : null;
  if (tree === null) throw unprocessable("base_tree is not a valid tree oid", PAGE);
  const items = await repository.git.list(tree, { recursive: true });
  return new Map(items.map(({ path, mode, oid }) => [path, { mode, oid }]));
}

function tooLarge(sizes: GitHubSizes): Refusal {
  if (sizes.treeRefusal === 422) return unprocessable(TIMED_OUT, PAGE);
  if (sizes.treeRefusal === 502) return new Refusal(502, { message: "Server Error" });
  return apiRefusal(405, "Not Allowed", PAGE);
}

async function createTree(call: GitHubCall): Promise<RouteAnswer> {
  const repository = call.repository(WRITE_CONTENTS);
  if (await repository.git.isEmpty()) throw emptyRepository(PAGE);
  const entries = call.json.tree as readonly Entry[];
  const { sizes } = call.world;
  const isTooLarge = entries.length > sizes.treeEntries || call.request.body.length > sizes.treeBytes;
  if (isTooLarge && !sizes.isTreeWrittenAnyway) throw tooLarge(sizes);
  if (entries.length === 0) throw unprocessable("Invalid tree info", PAGE);
  for (const entry of entries) checkEntry(entry);
  for (const { path } of entries) refuseWorkflow(call.token, repository, path, PAGE);
  checkNesting(entries);
  const files = await readBase(repository, call.text("base_tree"));
  for (const entry of entries) await applyEntry(files, entry, repository);
  const oid = await repository.git.writeTree(files);
  if (oid === null) throw unprocessable("tree.path contains a malformed path component", PAGE);
  if (isTooLarge) throw tooLarge(sizes);
  const json = treeJson(oid, await repository.git.list(oid), false, call.view(repository));
  return { status: 201, json, headers: { location: String(json.url) } };
}

/** What fits into an answer. */
function fitting(items: readonly TreeItem[], { listedEntries, listedBytes }: GitHubSizes): readonly TreeItem[] {
  let size = 0;
  const end = items.findIndex(({ path }, index) => {
    size += path.length + 150;
    return index >= listedEntries || size > listedBytes;
  });
  return end < 0 ? items : items.slice(0, end);
}

async function getTree(call: GitHubCall): Promise<RouteAnswer> {
  const repository = call.repository(READ_CONTENTS);
  const page = "rest/git/trees#get-a-tree";
  if (await repository.git.isEmpty()) throw emptyRepository(page);
  const oid = await repository.git.resolve(call.parameter("tree_sha"), "tree");
  if (oid === null) throw notFound(page);
  const recursive = call.query.has("recursive");
  const items = await repository.git.list(oid, { recursive, withTrees: recursive });
  const shown = fitting(items, call.world.sizes);
  return { status: 200, json: treeJson(oid, shown, shown.length < items.length, call.view(repository)) };
}

export const treeRoutes: readonly GitHubRoute[] = [
  { method: "POST", template: "/repos/{owner}/{repo}/git/trees", isContent: true, answer: createTree },
  { method: "GET", template: "/repos/{owner}/{repo}/git/trees/{tree_sha}", greedy: "tree_sha", answer: getTree },
];
