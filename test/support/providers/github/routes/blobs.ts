// Blobs: what is created is a real object at once, whatever refers to it.
import { isObjectId } from "../../bare-repository.ts";
import type { GitHubCall, GitHubRoute, RouteAnswer } from "../call.ts";
import { READ_CONTENTS, WRITE_CONTENTS } from "../credentials.ts";
import { nodeId, repositoryUrl } from "../git-models.ts";
import { refuseSecret } from "../push-protection.ts";
import { emptyRepository, notFound, unprocessable } from "../refusals.ts";

const PAGE = "rest/git/blobs#create-a-blob";
const TOO_LARGE =
  "Sorry, your input was too large to process. Consider creating the blob in a local clone of the repository and then pushing it to GitHub.";

/** Null: not base64 (line feeds are forgiven). */
export function decodeBase64(text: string): Buffer | null {
  const packed = text.replace(/[\r\n]/g, "");
  return /^[A-Za-z0-9+/]*={0,2}$/.test(packed) && packed.length % 4 === 0 ? Buffer.from(packed, "base64") : null;
}

async function createBlob(call: GitHubCall): Promise<RouteAnswer> {
  const repository = call.repository(WRITE_CONTENTS);
  if (await repository.git.isEmpty()) throw emptyRepository(PAGE);
  const encoding = call.text("encoding") ?? "utf-8";
  if (encoding !== "utf-8" && encoding !== "base64") throw unprocessable("encoding must be utf-8 or base64", PAGE);
  const text = call.text("content") ?? "";
  const content = encoding === "base64" ? decodeBase64(text) : Buffer.from(text, "utf8");
  if (content === null) throw unprocessable("content is not valid Base64", PAGE);
  if (content.length > call.world.sizes.blobBytes) throw unprocessable(TOO_LARGE, PAGE);
  refuseSecret(repository, content, PAGE);
  const sha = await repository.git.write("blob", content);
  const url = `${repositoryUrl(call.view(repository))}/git/blobs/${sha}`;
  return { status: 201, json: { sha, url }, headers: { location: url } };
}

async function getBlob(call: GitHubCall): Promise<RouteAnswer> {
  const repository = call.repository(READ_CONTENTS);
  const page = "rest/git/blobs#get-a-blob";
  if (await repository.git.isEmpty()) throw emptyRepository(page);
  const sha = call.parameter("file_sha");
  if (!isObjectId(sha)) throw unprocessable("The sha parameter must be exactly 40 characters and contain only [0-9a-f].", page);
  const object = await repository.git.read(sha);
  if (object?.type !== "blob") throw notFound(page);
  if (/\braw\b/.test(call.request.headers.accept ?? "")) {
    return { status: 200, text: { content: object.content, type: "application/vnd.github.raw; charset=utf-8" } };
  }
  const content = object.content.toString("base64").replace(/(.{60})/g, "$1\n");
  const url = `${repositoryUrl(call.view(repository))}/git/blobs/${sha}`;
  const json = { sha, node_id: nodeId("B", `${repository.id}:${sha}`), size: object.size, url, content, encoding: "base64" };
  return { status: 200, json };
}

export const blobRoutes: readonly GitHubRoute[] = [
  { method: "POST", template: "/repos/{owner}/{repo}/git/blobs", isContent: true, answer: createBlob },
  { method: "GET", template: "/repos/{owner}/{repo}/git/blobs/{file_sha}", answer: getBlob },
];
