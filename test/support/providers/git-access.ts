// git's smart HTTP protocol over a double's repositories: the real `git http-backend`, with the provider's refusals in front of
// a push and its reactions behind it. Who may do what is for the provider to say.
import { basename, dirname } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import { type CgiAnswer, type CgiRequest, runGitCgi } from "../git-cgi.ts";
import type { Answer, ProviderRequest } from "./answer.ts";
import type { BareRepository, RefUpdate } from "./bare-repository.ts";
import { findingIn, type InspectionFinding, inspectionEnvironment, type PushInspection } from "./push-inspection.ts";
import { encodeRefusal, type PushCommands, type RefRefusal, readPushCommands, readReport } from "./push-wire.ts";

export type GitPath = {
  /** `owner/name` or `group/sub/name`, decoded, without `.git`. */
  readonly name: string;
  readonly endpoint: "info/refs" | "git-upload-pack" | "git-receive-pack";
  readonly service: string;
};

export type PushRefusal = { readonly refusals: readonly RefRefusal[]; readonly messages: readonly string[] };

/** How a provider takes a push. */
export type PushRules = {
  readonly inspection: PushInspection;
  /** Null: none of the refs is refused. */
  judge(updates: readonly RefUpdate[]): Promise<PushRefusal | null>;
  /** The provider's words for what the inspection found. */
  explain(finding: InspectionFinding, updates: readonly RefUpdate[]): PushRefusal;
  /** Called with the refs that git has moved, before the pusher hears of it. */
  pushed(updates: readonly RefUpdate[]): Promise<void>;
};

/** Null: not a path of git's protocol. */
export function parseGitPath(url: URL): GitPath | null {
  const [, name, endpoint] = /^\/(.+?)(?:\.git)?\/(info\/refs|git-upload-pack|git-receive-pack)$/.exec(url.pathname) ?? [];
  if (name === undefined || endpoint === undefined) return null;
  const service = endpoint === "info/refs" ? (url.searchParams.get("service") ?? "") : endpoint;
  return { name: decodeURIComponent(name), endpoint: endpoint as GitPath["endpoint"], service };
}

/** Answers for `repository` whatever it is called outside. */
export async function answerGit(
  request: ProviderRequest,
  path: GitPath,
  repository: BareRepository,
  rules: PushRules,
): Promise<Answer> {
  if (path.endpoint === "git-receive-pack") return answerPush(request, repository, rules);
  const cgi = await runBackend(request, path.endpoint, repository);
  return { status: cgi.status, headers: Object.fromEntries(cgi.headers), body: streamed(cgi) };
}

function runBackend(
  request: ProviderRequest,
  endpoint: GitPath["endpoint"],
  repository: BareRepository,
  env: Readonly<Record<string, string>> = {},
): Promise<CgiAnswer> {
  const url = new URL(`/${basename(repository.path)}/${endpoint}${request.url.search}`, request.url);
  const headers = { ...request.headers, "content-length": String(request.body.length) };
  const body = request.body.length === 0 ? [] : [request.body];
  const replayed: CgiRequest = Object.assign(Readable.from(body), { method: request.method, headers });
  return runGitCgi(replayed, url, { root: dirname(repository.path), protocol: "v2", config: {}, user: "git", env });
}

async function* streamed(cgi: CgiAnswer): AsyncGenerator<Uint8Array> {
  try {
    yield* cgi.body;
  } finally {
    cgi.stop();
  }
}

function refused(commands: PushCommands, refusal: PushRefusal): Answer {
  const headers = { "content-type": "application/x-git-receive-pack-result", "cache-control": "no-cache" };
  return { status: 200, headers, body: encodeRefusal(commands, refusal.refusals, refusal.messages) };
}

async function answerPush(request: ProviderRequest, repository: BareRepository, rules: PushRules): Promise<Answer> {
  const isPacked = request.headers["content-encoding"] === "gzip";
  const commands = readPushCommands(isPacked ? gunzipSync(request.body) : request.body);
  const refusal = commands.updates.length === 0 ? null : await rules.judge(commands.updates);
  if (refusal !== null) return refused(commands, refusal);
  const cgi = await runBackend(request, "git-receive-pack", repository, inspectionEnvironment(rules.inspection));
  const body = await buffer(Readable.from(cgi.body));
  const report = readReport(body, commands.hasSideBand);
  const finding = findingIn(report.spoken);
  if (finding !== null) return refused(commands, rules.explain(finding, commands.updates));
  const moved = commands.updates.filter(({ ref }) => report.accepted.has(ref));
  if (moved.length > 0) await rules.pushed(moved);
  return { status: cgi.status, headers: Object.fromEntries(cgi.headers), body };
}
