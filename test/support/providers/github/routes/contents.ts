// Writing one file by the contents API: the only way of the API into an empty repository.
import { isObjectId, ZERO_OID } from "../../bare-repository.ts";
import { readCommit, writeCommit } from "../../commit-object.ts";
import type { GitHubCall, GitHubRoute, RouteAnswer } from "../call.ts";
import { WRITE_CONTENTS } from "../credentials.ts";
import { gitCommitJson, repositoryUrl } from "../git-models.ts";
import type { Json } from "../models.ts";
import { refuseSecret, refuseWorkflow } from "../push-protection.ts";
import { apiRefusal, notFound, unprocessable } from "../refusals.ts";
import type { GitHubRepository } from "../repository.ts";
import { decodeBase64 } from "./blobs.ts";
import { identityOf } from "./commits.ts";
import { moveRef } from "./refs.ts";

const PAGE = "rest/repos/contents#create-or-update-file-contents";

function checkShaOfFile(call: GitHubCall, path: string, current: string | null): void {
  const sha = call.text("sha");
  if (current === null) return;
  if (sha === null) throw unprocessable('Invalid request.\n\n"sha" wasn\'t supplied.', PAGE);
  if (!isObjectId(sha) || sha !== current) throw apiRefusal(409, `${path} does not match ${sha}`, PAGE);
}

/** The file's content, unless something about it is refused. */
function readContent(call: GitHubCall, repository: GitHubRepository, path: string): Buffer {
  refuseWorkflow(call.token, repository, path, PAGE);
  const content = decodeBase64(call.text("content") ?? "");
  if (content === null) throw unprocessable("content is not valid Base64", PAGE);
  refuseSecret(repository, content, PAGE);
  return content;
}

type Placed = { readonly tree: string; readonly isNew: boolean };

async function placeFile(call: GitHubCall, repository: GitHubRepository, before: string | null, blob: string): Promise<Placed> {
  const path = call.parameter("path");
  const key = Buffer.from(path, "utf8").toString("latin1");
  const items = before === null ? [] : await repository.git.list(before, { recursive: true });
  const files = new Map(items.map((item) => [item.path, { mode: item.mode, oid: item.oid }]));
  const current = files.get(key);
  checkShaOfFile(call, path, current?.oid ?? null);
  files.set(key, { mode: current?.mode ?? "100644", oid: blob });
  const tree = await repository.git.writeTree(files);
  if (tree === null) throw unprocessable("path contains a malformed path component", PAGE);
  return { tree, isNew: current === undefined };
}

async function putContents(call: GitHubCall): Promise<RouteAnswer> {
  const repository = call.repository(WRITE_CONTENTS);
  const content = readContent(call, repository, call.parameter("path"));
  const branch = call.text("branch") ?? repository.defaultBranch;
  const ref = `refs/heads/${branch}`;
  const before = await repository.git.ref(ref);
  if (before === null && !(await repository.git.isEmpty())) throw notFound(PAGE);
  const blob = await repository.git.write("blob", content);
  const { tree, isNew } = await placeFile(call, repository, before, blob);
  const identity = identityOf(call.actor(), call.nowMs);
  const commit = { tree, parents: before === null ? [] : [before], author: identity, committer: identity };
  const after = await writeCommit(repository.git, { ...commit, message: call.text("message") ?? "" });
  await moveRef(call, repository, { ref, before: before ?? ZERO_OID, after });
  const written = await readCommit(repository.git, after);
  if (written === null) throw notFound(PAGE);
  const file = fileJson(call, repository, { branch, blob, size: content.length });
  return { status: isNew ? 201 : 200, json: { content: file, commit: gitCommitJson(written, call.view(repository)) } };
}

function fileJson(
  call: GitHubCall,
  repository: GitHubRepository,
  { branch, blob, size }: { readonly branch: string; readonly blob: string; readonly size: number },
): Json {
  const path = call.parameter("path");
  const api = repositoryUrl(call.view(repository));
  const site = `${call.links.siteUrl}/${repository.fullName}`;
  const links = {
    self: `${api}/contents/${encodeURI(path)}?ref=${branch}`,
    git: `${api}/git/blobs/${blob}`,
    html: `${site}/blob/${branch}/${encodeURI(path)}`,
  };
  return {
    name: path.split("/").at(-1),
    path,
    sha: blob,
    size,
    url: links.self,
    html_url: links.html,
    git_url: links.git,
    download_url: `${site}/raw/${branch}/${encodeURI(path)}`,
    type: "file",
    _links: links,
  };
}

export const contentRoutes: readonly GitHubRoute[] = [
  { method: "PUT", template: "/repos/{owner}/{repo}/contents/{path}", greedy: "path", isContent: true, answer: putContents },
];
