// Commits: raw ones of the Git Data API, and the readable ones whose ids are the cheapest answer to "has it moved?".
import { isObjectId } from "../../bare-repository.ts";
import { readCommit, writeCommit } from "../../commit-object.ts";
import { type DiffFile, diffFiles } from "../../diff-files.ts";
import type { GitHubCall, GitHubRoute, JsonBody, RouteAnswer } from "../call.ts";
import { type GitHubUser, READ_CONTENTS, WRITE_CONTENTS } from "../credentials.ts";
import { commitJson, gitCommitJson, type ObjectView, repositoryUrl } from "../git-models.ts";
import { isoTime, type Json } from "../models.ts";
import { emptyRepository, notFound, unprocessable } from "../refusals.ts";
import type { GitHubRepository } from "../repository.ts";

const PAGE = "rest/git/commits#create-a-commit";
/** GitHub lists no more files of a commit on one page, and of a comparison at all. */
const MAX_FILES = 300;

function personOf(value: unknown, fallback: { readonly name: string; readonly email: string; readonly date: string }) {
  if (typeof value !== "object" || value === null) return fallback;
  const { name, email, date } = value as JsonBody;
  return { name: String(name), email: String(email), date: typeof date === "string" ? date : fallback.date };
}

export function identityOf(user: GitHubUser, nowMs: number) {
  return { name: user.login, email: `${user.id}+${user.login}@users.noreply.github.com`, date: isoTime(nowMs) };
}

async function checkParents(repository: GitHubRepository, parents: readonly string[]): Promise<void> {
  for (const parent of parents) {
    if (!(await repository.git.isType(parent, "commit"))) {
      throw unprocessable("Parent SHA does not exist or is not a commit object", PAGE);
    }
  }
}

async function createCommit(call: GitHubCall): Promise<RouteAnswer> {
  const repository = call.repository(WRITE_CONTENTS);
  if (await repository.git.isEmpty()) throw emptyRepository(PAGE);
  const tree = call.text("tree") ?? "";
  const parents = (call.json.parents ?? []) as readonly string[];
  if (!(await repository.git.isType(tree, "tree"))) throw unprocessable("Tree SHA does not exist", PAGE);
  await checkParents(repository, parents);
  const author = personOf(call.json.author, identityOf(call.actor(), call.nowMs));
  const committer = personOf(call.json.committer, author);
  const signature = call.text("signature");
  const message = call.text("message") ?? "";
  const oid = await writeCommit(repository.git, {
    tree,
    parents,
    author,
    committer,
    message,
    ...(signature === null ? {} : { signature }),
  });
  const isOwnWords = call.json.author === undefined && call.json.committer === undefined && signature === null;
  if (call.token?.kind === "installation" && isOwnWords) repository.verified.add(oid);
  const answer = await showGitCommit(call, repository, oid);
  return { ...answer, status: 201, headers: { location: `${repositoryUrl(call.view(repository))}/git/commits/${oid}` } };
}

async function showGitCommit(call: GitHubCall, repository: GitHubRepository, oid: string): Promise<RouteAnswer> {
  const commit = await readCommit(repository.git, oid);
  if (commit === null) throw notFound("rest/git/commits#get-a-commit-object");
  return { status: 200, json: gitCommitJson(commit, call.view(repository)) };
}

async function getGitCommit(call: GitHubCall): Promise<RouteAnswer> {
  const repository = call.repository(READ_CONTENTS);
  if (await repository.git.isEmpty()) throw emptyRepository("rest/git/commits#get-a-commit-object");
  return showGitCommit(call, repository, call.parameter("commit_sha"));
}

/** What a reader may write for a commit: a branch, `heads/…`, `tags/…`, an id or the beginning of one. */
export async function resolveCommit(repository: GitHubRepository, name: string): Promise<string | null> {
  const branch = await repository.readRef(`refs/heads/${name.replace(/^(?:refs\/)?heads\//, "")}`);
  if (branch !== null) return branch;
  const isKnown = isObjectId(name) && (await repository.git.isType(name, "commit"));
  return isKnown ? name : repository.git.resolve(name, "commit");
}

function diffEntry(file: DiffFile, view: ObjectView, ref: string): Json {
  const path = encodeURI(file.path);
  return {
    sha: file.oid,
    filename: file.path,
    status: file.status,
    additions: file.additions,
    deletions: file.deletions,
    changes: file.additions + file.deletions,
    blob_url: `${view.links.siteUrl}/${view.repository.fullName}/blob/${ref}/${path}`,
    raw_url: `${view.links.siteUrl}/${view.repository.fullName}/raw/${ref}/${path}`,
    contents_url: `${repositoryUrl(view)}/contents/${path}?ref=${ref}`,
  };
}

async function getCommit(call: GitHubCall): Promise<RouteAnswer> {
  const repository = call.repository(READ_CONTENTS);
  const page = "rest/commits/commits#get-a-commit";
  if (await repository.git.isEmpty()) throw emptyRepository(page);
  const name = call.parameter("ref");
  const oid = await resolveCommit(repository, name);
  const commit = oid === null ? null : await readCommit(repository.git, oid);
  if (commit === null) throw unprocessable(`No commit found for SHA: ${name}`, page);
  if (/\bsha\b/.test(call.request.headers.accept ?? "")) {
    const text = { content: commit.oid, type: "application/vnd.github.sha; charset=utf-8" };
    return { status: 200, text, headers: { etag: `"${commit.oid}"` } };
  }
  const view = call.view(repository);
  const files = await diffFiles(repository.git, commit.parents[0] ?? null, commit.oid);
  const sum = (key: "additions" | "deletions"): number => files.reduce((total, file) => total + file[key], 0);
  const stats = { additions: sum("additions"), deletions: sum("deletions"), total: sum("additions") + sum("deletions") };
  const shown = files.slice(0, MAX_FILES).map((file) => diffEntry(file, view, commit.oid));
  return { status: 200, json: { ...commitJson(commit, view), stats, files: shown } };
}

async function compare(call: GitHubCall): Promise<RouteAnswer> {
  const repository = call.repository(READ_CONTENTS);
  const [base = "", head = ""] = call.parameter("basehead").split("...");
  const [from, to] = await Promise.all([resolveCommit(repository, base), resolveCommit(repository, head)]);
  if (from === null || to === null) throw notFound("rest/commits/commits#compare-two-commits");
  const { source } = repository.git;
  const mergeBase = await source.git("merge-base", from, to).catch(() => null);
  if (mergeBase === null) throw notFound("rest/commits/commits#compare-two-commits");
  const list = async (range: string): Promise<string[]> =>
    (await source.git("rev-list", "--reverse", range)).split("\n").filter(Boolean);
  const [ahead, behind] = await Promise.all([list(`${mergeBase}..${to}`), list(`${mergeBase}..${from}`)]);
  const view = call.view(repository);
  const show = async (oid: string): Promise<Json> => {
    const commit = await readCommit(repository.git, oid);
    return commit === null ? {} : commitJson(commit, view);
  };
  const files = (await diffFiles(repository.git, mergeBase, to)).slice(0, MAX_FILES).map((file) => diffEntry(file, view, to));
  const url = `${repositoryUrl(view)}/compare/${base}...${head}`;
  const site = `${call.links.siteUrl}/${repository.fullName}/compare/${base}...${head}`;
  const json = {
    url,
    html_url: site,
    permalink_url: site,
    diff_url: `${site}.diff`,
    patch_url: `${site}.patch`,
    base_commit: await show(from),
    merge_base_commit: await show(mergeBase),
    status: statusOf(ahead.length, behind.length),
    ahead_by: ahead.length,
    behind_by: behind.length,
    total_commits: ahead.length,
    commits: await Promise.all(ahead.slice(0, 250).map(show)),
    files,
  };
  return { status: 200, json };
}

function statusOf(ahead: number, behind: number): string {
  if (ahead > 0 && behind > 0) return "diverged";
  if (ahead === 0 && behind === 0) return "identical";
  return ahead > 0 ? "ahead" : "behind";
}

export const commitRoutes: readonly GitHubRoute[] = [
  { method: "POST", template: "/repos/{owner}/{repo}/git/commits", isContent: true, answer: createCommit },
  { method: "GET", template: "/repos/{owner}/{repo}/git/commits/{commit_sha}", answer: getGitCommit },
  { method: "GET", template: "/repos/{owner}/{repo}/commits/{ref}", greedy: "ref", answer: getCommit },
  { method: "GET", template: "/repos/{owner}/{repo}/compare/{basehead}", greedy: "basehead", answer: compare },
];
