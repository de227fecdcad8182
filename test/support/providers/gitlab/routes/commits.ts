// Commits: the one call that writes. The parent is whatever the branch is when the call is processed; nothing compares it with what
// the caller saw, except per file by `last_commit_id`.

import { textAnswer } from "../../answer.ts";
import { isObjectId, ZERO_OID } from "../../bare-repository.ts";
import { readCommit, writeCommit } from "../../commit-object.ts";
import type { GitLabCall, GitLabRoute, RouteAnswer } from "../call.ts";
import { REPOSITORY_SCOPES, WRITE_SCOPES } from "../call.ts";
import { CommitTree, type Files } from "../commit-actions.ts";
import { type CommitRequest, readCommitRequest } from "../commit-request.ts";
import { roleIn } from "../credentials.ts";
import { commitJson, commitWithStats } from "../models.ts";
import { paged } from "../pages.ts";
import type { GitLabProject } from "../project.ts";
import { badRequest, forbidden, notFound } from "../refusals.ts";

const STARTED_LATE = "You can only create or edit files when you are on a branch";

/** The commit to build on; null: the repository is empty. */
async function findStart(project: GitLabProject, request: CommitRequest, head: string | null): Promise<string | null> {
  const { branch, startBranch, startSha, isForced } = request;
  if (await project.git.isEmpty()) return null;
  const isElsewhere = (startBranch !== null && startBranch !== branch) || startSha !== null;
  if (head !== null && isElsewhere && !isForced) {
    throw badRequest(`A branch called '${branch}' already exists. Switch to that branch in order to make changes`);
  }
  const start = isElsewhere ? await findOtherStart(project, request) : head;
  if (start === null) throw badRequest(STARTED_LATE);
  return start;
}

async function findOtherStart(project: GitLabProject, { startSha, startBranch }: CommitRequest): Promise<string> {
  if (startSha === null) {
    const start = await project.head(startBranch ?? "");
    if (start === null) throw badRequest(`Cannot find start_branch '${startBranch}'`);
    return start;
  }
  if (!isObjectId(startSha)) throw badRequest(`Invalid start_sha '${startSha}'`);
  if (!(await project.git.isType(startSha, "commit"))) throw badRequest(`Cannot find start_sha '${startSha}'`);
  return startSha;
}

/** @throws Refusal 403 when the branch is protected from the caller, 400 for a push rule. */
function checkMayPush(call: GitLabCall, project: GitLabProject, branch: string): void {
  const role = roleIn(project, call.token);
  const protection = project.protectionOf(branch);
  if (role < (protection === null ? 30 : (protection.push ?? Number.POSITIVE_INFINITY))) {
    throw forbidden("You are not allowed to push into this branch");
  }
  if (project.pushRule !== null) throw badRequest(project.pushRule);
}

/** @throws Refusal 400 when a protected branch would lose commits. */
async function checkForce(
  project: GitLabProject,
  { branch }: CommitRequest,
  { before, start }: { readonly before: string | null; readonly start: string | null },
): Promise<void> {
  const protection = project.protectionOf(branch);
  if (protection === null || protection.allowsForcePush || before === null || start === null) return;
  if (await project.git.isAncestor(before, start)) return;
  throw badRequest("GitLab: You are not allowed to force push code to a protected branch on this project.");
}

/** Refuses a path whose last commit on the branch is not its last one as of the commit that the action names. */
async function checkLastCommits(project: GitLabProject, request: CommitRequest, start: string | null): Promise<void> {
  for (const { action, file_path, previous_path, last_commit_id } of request.actions) {
    if (last_commit_id === undefined || last_commit_id === start || action === "create" || action === "chmod") continue;
    const path = action === "move" ? (previous_path ?? "") : file_path;
    const last = await lastCommit(project, start, path);
    const known = await lastCommit(project, last_commit_id, path);
    // What no commit tells of may be changed.
    if (last === null || known === null || last === known) continue;
    throw badRequest(`The file has changed since you started editing it: ${file_path}`);
  }
}

async function lastCommit(project: GitLabProject, revision: string | null, path: string): Promise<string | null> {
  if (revision === null || !(await project.git.isType(revision, "commit"))) return null;
  const oid = await project.git.source.git("log", "-1", "--format=%H", revision, "--", `:(literal)${path}`);
  return oid === "" ? null : oid;
}

async function readFiles(project: GitLabProject, start: string | null): Promise<Files> {
  const items = start === null ? [] : await project.git.list(start, { recursive: true });
  return new Map(items.map(({ path, mode, oid }) => [path, { mode, oid }]));
}

async function buildCommit(
  call: GitLabCall,
  project: GitLabProject,
  request: CommitRequest,
  start: string | null,
): Promise<string> {
  const tree = new CommitTree(project.git, await readFiles(project, start));
  if (start === null && request.actions.some(({ action }) => action !== "create")) {
    throw badRequest("A file with this name doesn't exist");
  }
  for (const action of request.actions) await tree.apply(action);
  const oid = await project.git.writeTree(tree.files);
  if (oid === null) throw badRequest("invalid path");
  const { user } = call.user();
  const date = new Date(call.nowMs).toISOString();
  const committer = { name: user.username, email: `${user.username}@users.noreply.gitlab.example.com`, date };
  const { authorName, authorEmail } = request;
  const author = authorName === null || authorEmail === null ? committer : { name: authorName, email: authorEmail, date };
  const parents = start === null ? [] : [start];
  return writeCommit(project.git, { tree: oid, parents, author, committer, message: request.message });
}

function checkSize(call: GitLabCall): void {
  const { limits } = call.world.budgets;
  if (call.request.body.length > limits.largeCommitBytes) call.world.budgets.endpoint(call.budgetKey, "large commit");
}

async function createCommit(call: GitLabCall): Promise<RouteAnswer> {
  const { limits } = call.world.budgets;
  if (call.request.body.length > limits.commitBytes) {
    const { body } = textAnswer(413, "<html><head><title>413 Request Entity Too Large</title></head></html>");
    return { status: 413, bytes: { content: body as Buffer, type: "text/html" } };
  }
  call.user(WRITE_SCOPES);
  const project = call.project("guest", WRITE_SCOPES);
  checkSize(call);
  const request = readCommitRequest(call.input, { maxActions: limits.actions, isPrefixed: call.world.isAtLeast(18, 7) });
  checkMayPush(call, project, request.branch);
  const ref = `refs/heads/${request.branch}`;
  if (!(await project.git.isValidRefName(ref))) throw badRequest("Branch name is invalid");
  const before = await project.git.ref(ref);
  const start = await findStart(project, request, before);
  await checkForce(project, request, { before, start });
  await checkLastCommits(project, request, start);
  const after = await buildCommit(call, project, request, start);
  const update = { ref, before: before ?? ZERO_OID, after };
  if (!(await project.git.updateRefs([update]))) {
    throw badRequest(`Could not update ${ref}. Please refresh and try again.`);
  }
  project.announce([update], call.user().user);
  return showCommit(call, project, { oid: after, status: 201, withStats: request.withStats });
}

async function showCommit(
  call: GitLabCall,
  project: GitLabProject,
  { oid, status, withStats }: { readonly oid: string; readonly status: number; readonly withStats: boolean },
): Promise<RouteAnswer> {
  const commit = await readCommit(project.git, oid);
  if (commit === null) throw notFound("Commit");
  return { status, json: await commitWithStats(commit, project, call.siteUrl, withStats) };
}

/** A branch as readers see it, a tag, an id or the beginning of one. */
export async function resolveCommit(project: GitLabProject, name: string): Promise<string | null> {
  return (await project.readBranch(name)) ?? project.git.resolve(name, "commit");
}

async function getCommit(call: GitLabCall): Promise<RouteAnswer> {
  const project = call.project("anybody", REPOSITORY_SCOPES);
  const oid = await resolveCommit(project, call.parameter("sha"));
  if (oid === null) throw notFound("Commit");
  return showCommit(call, project, { oid, status: 200, withStats: call.flag("stats") !== false });
}

async function listCommits(call: GitLabCall): Promise<RouteAnswer> {
  const project = call.project("anybody", REPOSITORY_SCOPES);
  if (await project.git.isEmpty()) return { status: 200, json: [] };
  const start = await resolveCommit(project, call.text("ref_name") ?? project.defaultBranch);
  if (start === null) throw notFound("Commit");
  const path = call.text("path");
  const oids = (await project.git.source.git("rev-list", start, "--", ...(path === null ? [] : [path])))
    .split("\n")
    .filter(Boolean);
  return paged(call, oids, async (oid) => {
    const commit = await readCommit(project.git, oid);
    return commit === null ? {} : commitJson(commit, project, call.siteUrl);
  });
}

export const commitRoutes: readonly GitLabRoute[] = [
  { method: "POST", template: "/projects/{id}/repository/commits", answer: createCommit },
  { method: "GET", template: "/projects/{id}/repository/commits", answer: listCommits },
  { method: "GET", template: "/projects/{id}/repository/commits/{sha}", answer: getCommit },
];
