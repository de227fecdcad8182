// Reading trees, files and blobs, comparing, and the archive that is not the tree.
import { createHash } from "node:crypto";
import { gitBytes } from "../../../git.ts";
import { Refusal } from "../../answer.ts";
import type { TreeItem } from "../../bare-repository.ts";
import { readCommit } from "../../commit-object.ts";
import { diffFiles } from "../../diff-files.ts";
import type { GitLabCall, GitLabRoute, RouteAnswer } from "../call.ts";
import { REPOSITORY_SCOPES } from "../call.ts";
import { commitJson } from "../models.ts";
import { paged, pagedByKey } from "../pages.ts";
import type { GitLabProject } from "../project.ts";
import { notFound } from "../refusals.ts";
import { resolveCommit } from "./commits.ts";

const text = (latin1: string): string => Buffer.from(latin1, "latin1").toString("utf8");

async function getTree(call: GitLabCall): Promise<RouteAnswer> {
  const project = call.project("anybody", REPOSITORY_SCOPES);
  const commit = await resolveCommit(project, call.text("ref") ?? project.defaultBranch);
  if (commit === null) throw notFound("Tree");
  const path = call.text("path");
  const root = await project.git.at(commit, path ?? "");
  if (root?.type !== "tree") throw notFound("invalid revision or path");
  const recursive = call.flag("recursive") === true;
  const items = await project.git.list(root.oid, { recursive, withTrees: recursive });
  const shown = async ({ oid, type, path: name, mode }: TreeItem) => {
    const full = path === null ? text(name) : `${path}/${text(name)}`;
    return { id: oid, name: full.split("/").at(-1), type, path: full, mode };
  };
  if (call.text("pagination") === "keyset")
    return pagedByKey(call, items, { keyOf: ({ path: name }) => Buffer.from(name, "latin1").toString("hex"), show: shown });
  return paged(call, items, shown);
}

async function findFile(call: GitLabCall, project: GitLabProject) {
  const ref = call.text("ref") ?? project.defaultBranch;
  const path = call.parameter("file_path");
  const commit = await resolveCommit(project, ref === "HEAD" ? project.defaultBranch : ref);
  if (commit === null) throw notFound("Commit");
  const found = await project.git.at(commit, path);
  const object = found?.type === "blob" ? await project.git.read(found.oid) : null;
  if (object === null) throw notFound("File");
  const mode = (await project.git.source.git("ls-tree", commit, "--", path)).slice(0, 6);
  const lastCommit = await project.git.source.git("log", "-1", "--format=%H", commit, "--", path);
  const sha256 = createHash("sha256").update(object.content).digest("hex");
  const json = {
    file_name: path.split("/").at(-1) ?? "",
    file_path: path,
    size: object.size,
    encoding: "base64",
    content_sha256: sha256,
    ref,
    blob_id: object.oid,
    commit_id: commit,
    last_commit_id: lastCommit,
    execute_filemode: mode === "100755",
  };
  return { json, content: object.content };
}

function fileHeaders(json: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(json).map(([name, value]) => [`x-gitlab-${name.replaceAll("_", "-")}`, String(value)]),
  );
}

async function getFile(call: GitLabCall): Promise<RouteAnswer> {
  const { json, content } = await findFile(call, call.project("anybody", REPOSITORY_SCOPES));
  return { status: 200, json: { ...json, content: content.toString("base64") }, headers: fileHeaders(json) };
}

async function getRawFile(call: GitLabCall): Promise<RouteAnswer> {
  const { json, content } = await findFile(call, call.project("anybody", REPOSITORY_SCOPES));
  return { status: 200, bytes: { content, type: "text/plain; charset=utf-8" }, headers: fileHeaders(json) };
}

async function getBlob(call: GitLabCall): Promise<RouteAnswer> {
  const project = call.project("anybody", REPOSITORY_SCOPES);
  const object = await project.git.read(call.parameter("sha"));
  if (object?.type !== "blob") throw notFound("Blob");
  const json = { size: object.size, encoding: "base64", content: object.content.toString("base64"), sha: object.oid };
  return { status: 200, json };
}

async function getRawBlob(call: GitLabCall): Promise<RouteAnswer> {
  const object = await call.project("anybody", REPOSITORY_SCOPES).git.read(call.parameter("sha"));
  if (object?.type !== "blob") throw notFound("Blob");
  return { status: 200, bytes: { content: object.content, type: "application/octet-stream" } };
}

/** Three dots unless `straight` says two. */
async function compare(call: GitLabCall): Promise<RouteAnswer> {
  const project = call.project("anybody", REPOSITORY_SCOPES);
  const [from, to] = await Promise.all([
    resolveCommit(project, call.text("from") ?? ""),
    resolveCommit(project, call.text("to") ?? ""),
  ]);
  if (from === null || to === null) throw notFound("Ref");
  const { source } = project.git;
  const base = call.flag("straight") === true ? from : await source.git("merge-base", from, to).catch(() => from);
  const oids = (await source.git("rev-list", "--reverse", `${from}..${to}`)).split("\n").filter(Boolean);
  const commits = await Promise.all(oids.map((oid) => readCommit(project.git, oid)));
  const shown = commits.flatMap((commit) => (commit === null ? [] : [commitJson(commit, project, call.siteUrl)]));
  const diffs = (await diffFiles(project.git, base, to)).map(({ path, status, oldMode, newMode }) => ({
    diff: "",
    collapsed: false,
    too_large: false,
    new_path: path,
    old_path: path,
    a_mode: oldMode,
    b_mode: newMode,
    new_file: status === "added",
    renamed_file: false,
    deleted_file: status === "removed",
    generated_file: null,
  }));
  const web_url = `${call.siteUrl}/${project.fullPath}/-/compare/${from}...${to}`;
  return {
    status: 200,
    json: { commit: shown.at(-1) ?? null, commits: shown, diffs, compare_timeout: false, compare_same_ref: from === to, web_url },
  };
}

/** `git archive` leaves out what `export-ignore` says; browsers' fetch is taken for a hotlink. */
async function getArchive(call: GitLabCall): Promise<RouteAnswer> {
  if (call.request.headers["sec-fetch-mode"] === "cors") throw new Refusal(406, { message: "406 Not Acceptable" });
  const project = call.project("anybody", REPOSITORY_SCOPES);
  call.world.budgets.endpoint(call.budgetKey, "archive");
  const commit = await resolveCommit(project, call.text("sha") ?? project.defaultBranch);
  if (commit === null) throw notFound("File");
  const prefix = `${project.path}-${commit}-${commit}/`;
  const content = await gitBytes(["-C", project.git.path, "archive", "--format=tar.gz", `--prefix=${prefix}`, commit]);
  return { status: 200, bytes: { content, type: "application/octet-stream" } };
}

const REPOSITORY = "/projects/{id}/repository";

export const contentRoutes: readonly GitLabRoute[] = [
  { method: "GET", template: `${REPOSITORY}/tree`, answer: getTree },
  { method: "GET", template: `${REPOSITORY}/files/{file_path}`, answer: getFile },
  { method: "GET", template: `${REPOSITORY}/files/{file_path}/raw`, answer: getRawFile },
  { method: "GET", template: `${REPOSITORY}/blobs/{sha}`, answer: getBlob },
  { method: "GET", template: `${REPOSITORY}/blobs/{sha}/raw`, answer: getRawBlob },
  { method: "GET", template: `${REPOSITORY}/compare`, answer: compare },
  { method: "GET", template: `${REPOSITORY}/archive.tar.gz`, answer: getArchive },
];
