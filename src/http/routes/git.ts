// git's smart HTTP protocol for clones, fetches and pushes, at /:namespace/:slug.git and /:slug.git. What is answered comes
// from the UploadPack and ReceivePack ports. Refusals are plain text: git shows them to its user as `remote: …`.
import type { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { CoregitError } from "../../domain/errors.ts";
import { encodeLine, FLUSH } from "../../domain/pkt-line.ts";
import type { Repository } from "../../repositories/store.ts";
import { admitGit, admitPush, GIT_REALM, type GitDoors } from "../git-access.ts";
import { readGitBody } from "../git-body.ts";
import type { HttpLimits } from "../limits.ts";
import type { GitRequest, ReceivePack, UploadPack } from "../ports.ts";
import { problemOf } from "../problem.ts";
import { PushBody } from "../push-body.ts";
import { refuseOtherMethods, type SignalOf } from "../register-routes.ts";
import { OWN_BODY_TIME } from "../request-time.ts";
import { sendStream } from "../send-stream.ts";
import { registerLfsRoutes } from "./git-lfs.ts";

export type GitPorts = GitDoors & {
  readonly uploadPack: UploadPack;
  readonly receivePack: ReceivePack;
  readonly limits: Pick<HttpLimits, "bodyIdleMs" | "answerIdleMs">;
  readonly signalOf: SignalOf;
};

const BASES = ["/:slug.git", "/:namespace/:slug.git"] as const;
const UPLOAD_PACK_REQUEST = "application/x-git-upload-pack-request";
const RECEIVE_PACK_REQUEST = "application/x-git-receive-pack-request";

export function registerGitRoutes(app: FastifyInstance, ports: GitPorts): void {
  void app.register(async (git) => {
    git.removeAllContentTypeParsers();
    git.addContentTypeParser([UPLOAD_PACK_REQUEST, RECEIVE_PACK_REQUEST], (_request, body, done) => done(null, body));
    git.setErrorHandler(answerAsText);
    for (const base of BASES) registerAt(git, base, ports);
    registerLfsRoutes(git, BASES, ports);
  });
}

function registerAt(git: FastifyInstance, base: string, ports: GitPorts): void {
  git.get(`${base}/info/refs`, { exposeHeadRoute: false }, (request, reply) => advertise(request, reply, ports));
  git.post(`${base}/git-upload-pack`, (request, reply) => uploadPack(request, reply, ports));
  git.post(`${base}/git-receive-pack`, { config: OWN_BODY_TIME }, (request, reply) => receivePack(request, reply, ports));
  refuseOtherMethods(git, `${base}/info/refs`, new Set(["GET"]));
  refuseOtherMethods(git, `${base}/git-upload-pack`, new Set(["POST"]));
  refuseOtherMethods(git, `${base}/git-receive-pack`, new Set(["POST"]));
}

async function advertise(request: FastifyRequest, reply: FastifyReply, ports: GitPorts): Promise<FastifyReply> {
  const { service } = request.query as { readonly service?: unknown };
  if (service === "git-receive-pack") return await advertiseForPush(request, reply, ports);
  const { repository } = await admitGit(request, reply, { ...ports, right: "read" });
  if (service !== "git-upload-pack") throw new CoregitError("Forbidden", "Only git's smart HTTP protocol is served here.");
  const exchange = exchangeOf(request, reply, { repository, ports });
  const refs = ports.uploadPack.advertise(exchange);
  const answer = exchange.protocol === "version=2" ? refs : prepend(serviceLines(service), refs);
  return stream(reply, "application/x-git-upload-pack-advertisement", answer, ports);
}

async function advertiseForPush(request: FastifyRequest, reply: FastifyReply, ports: GitPorts): Promise<FastifyReply> {
  const { repository } = await admitPush(request, reply, ports);
  const refs = ports.receivePack.advertise(exchangeOf(request, reply, { repository, ports }));
  return stream(reply, "application/x-git-receive-pack-advertisement", prepend(serviceLines("git-receive-pack"), refs), ports);
}

async function uploadPack(request: FastifyRequest, reply: FastifyReply, ports: GitPorts): Promise<FastifyReply> {
  const { repository } = await admitGit(request, reply, { ...ports, right: "read" });
  const body = readGitBody(request.body as Readable, request.headers["content-encoding"]);
  const exchange = exchangeOf(request, reply, { repository, ports });
  return stream(reply, "application/x-git-upload-pack-result", ports.uploadPack.serve(exchange, body), ports);
}

async function receivePack(request: FastifyRequest, reply: FastifyReply, ports: GitPorts): Promise<FastifyReply> {
  const { repository, actor } = await admitPush(request, reply, ports);
  const body = new PushBody(request.body as Readable, request.headers["content-encoding"], ports.limits.bodyIdleMs);
  const answer = ports.receivePack.serve({ repository, actor, signal: ports.signalOf(reply) }, body);
  return await stream(reply, "application/x-git-receive-pack-result", drained(body, answer), ports);
}

/** What `answer` gives, or throws, once nothing of the body is left to read. */
async function* drained(body: PushBody, answer: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of answer) {
      await body.drain();
      yield chunk;
    }
  } finally {
    await body.drain();
  }
}

function exchangeOf(
  request: FastifyRequest,
  reply: FastifyReply,
  { repository, ports }: { readonly repository: Repository; readonly ports: GitPorts },
): GitRequest {
  const protocol = request.headers["git-protocol"];
  return { repository, protocol: typeof protocol === "string" ? protocol : null, signal: ports.signalOf(reply) };
}

/** What precedes the refs in every version of the protocol but the second. */
function serviceLines(service: string): Uint8Array {
  return Buffer.concat([encodeLine(`# service=${service}`), FLUSH]);
}

async function* prepend(first: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let isFirst = true;
  for await (const chunk of rest) {
    // Sent once git has begun to answer: a failure before that is answered with a status.
    if (isFirst) yield first;
    isFirst = false;
    yield chunk;
  }
}

function stream(
  reply: FastifyReply,
  type: string,
  source: AsyncIterable<Uint8Array>,
  { limits }: GitPorts,
): Promise<FastifyReply> {
  const headers = { "cache-control": "no-cache", "content-type": type };
  return sendStream(reply, { status: 200, headers, source, idleMs: limits.answerIdleMs });
}

function answerAsText(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, body } = problemOf(error);
  // Nobody waits for the end of a pack that is not wanted.
  if (!request.raw.complete) reply.header("connection", "close");
  if (status === 401) reply.header("www-authenticate", GIT_REALM);
  return reply.code(status).type("text/plain; charset=utf-8").send(`${body.error}\n`);
}
