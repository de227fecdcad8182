// Projects and their branches.
import { ZERO_OID } from "../../bare-repository.ts";
import type { GitLabCall, GitLabRoute, RouteAnswer } from "../call.ts";
import { READ_SCOPES, REPOSITORY_SCOPES, WRITE_SCOPES } from "../call.ts";
import { roleIn } from "../credentials.ts";
import { branchJson, projectJson } from "../models.ts";
import { paged } from "../pages.ts";
import type { GitLabProject } from "../project.ts";
import { badRequest, forbidden, notFound } from "../refusals.ts";
import { resolveCommit } from "./commits.ts";

async function getProject(call: GitLabCall): Promise<RouteAnswer> {
  const project = call.project("anybody", READ_SCOPES);
  return { status: 200, json: await projectJson(project, call.siteUrl, roleIn(project, call.token)) };
}

async function listBranches(call: GitLabCall): Promise<RouteAnswer> {
  const project = call.project("anybody", REPOSITORY_SCOPES);
  const names = [...(await project.git.refs(["refs/heads"])).keys()].map((ref) => ref.slice("refs/heads/".length));
  const search = call.text("search");
  const found = names.filter((name) => search === null || name.includes(search));
  return paged(call, found, async (name) => show(call, project, name));
}

async function show(call: GitLabCall, project: GitLabProject, name: string) {
  const oid = await project.readBranch(name);
  return oid === null ? null : branchJson(project, name, oid, call.siteUrl, roleIn(project, call.token));
}

async function getBranch(call: GitLabCall): Promise<RouteAnswer> {
  const project = call.project("anybody", REPOSITORY_SCOPES);
  const json = await show(call, project, call.parameter("branch"));
  if (json === null) throw notFound("Branch");
  return { status: 200, json };
}

async function createBranch(call: GitLabCall): Promise<RouteAnswer> {
  const project = call.project("developer", WRITE_SCOPES);
  const branch = call.text("branch") ?? "";
  const ref = `refs/heads/${branch}`;
  if (!(await project.git.isValidRefName(ref))) throw badRequest("Branch name is invalid");
  if ((await project.git.ref(ref)) !== null) throw badRequest("Branch already exists");
  const after = await resolveCommit(project, call.text("ref") ?? "");
  if (after === null) throw badRequest(`Invalid reference name: ${call.text("ref")}`);
  const update = { ref, before: ZERO_OID, after };
  if (!(await project.git.updateRefs([update]))) throw badRequest("Branch already exists");
  project.announce([update], call.user().user);
  return { status: 201, json: await show(call, project, branch) };
}

async function deleteBranch(call: GitLabCall): Promise<RouteAnswer> {
  const project = call.project("developer", WRITE_SCOPES);
  const branch = call.parameter("branch");
  const ref = `refs/heads/${branch}`;
  const before = await project.git.ref(ref);
  if (before === null) throw notFound("Branch");
  if (project.protectionOf(branch) !== null) throw forbidden("Protected branch");
  const update = { ref, before, after: ZERO_OID };
  await project.git.updateRefs([update]);
  project.announce([update], call.user().user);
  return { status: 204 };
}

async function listProtected(call: GitLabCall): Promise<RouteAnswer> {
  const project = call.project("developer", READ_SCOPES);
  return paged(call, project.protectedBranches, async ({ name, push, allowsForcePush }) => ({
    id: 1,
    name,
    push_access_levels: [{ id: 1, access_level: push ?? 0, access_level_description: "" }],
    merge_access_levels: [],
    allow_force_push: allowsForcePush,
    code_owner_approval_required: false,
  }));
}

const BRANCHES = "/projects/{id}/repository/branches";

export const branchRoutes: readonly GitLabRoute[] = [
  { method: "GET", template: "/projects/{id}", answer: getProject },
  { method: "GET", template: "/projects/{id}/protected_branches", answer: listProtected },
  { method: "GET", template: BRANCHES, answer: listBranches },
  { method: "POST", template: BRANCHES, answer: createBranch },
  { method: "GET", template: `${BRANCHES}/{branch}`, answer: getBranch },
  { method: "DELETE", template: `${BRANCHES}/{branch}`, answer: deleteBranch },
];
