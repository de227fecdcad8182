// git's smart HTTP protocol for clones and fetches, at /:namespace/:slug.git and /:slug.git. What is answered comes
// from the UploadPack port. Refusals are plain text: git shows them to its user as `remote: …`.
import type { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { CoregitError } from "../../domain/errors.ts";
import type { Repository } from "../../repositories/store.ts";
import { admitGit, type GitDoors } from "../git-access.ts";
import { readGitBody } from "../git-body.ts";
import type { GitRequest, UploadPack } from "../ports.ts";
import { problemOf } from "../problem.ts";
import { refuseOtherMethods, type SignalOf } from "../register-routes.ts";
import { sendStream } from "../send-stream.ts";

export type GitPorts = GitDoors & {
  readonly uploadPack: UploadPack;
  readonly signalOf: SignalOf;
};

const BASES = ["/:slug.git", "/:namespace/:slug.git"] as const;
const UPLOAD_PACK_REQUEST = "application/x-git-upload-pack-request";
const RECEIVE_PACK_REQUEST = "application/x-git-receive-pack-request";
const READ_ONLY = "This repository is read-only here: it cannot be pushed to.";
/** What precedes the refs in every version of the protocol but the second. */
const SERVICE_LINE = Buffer.from("001e# service=git-upload-pack\n0000");

export function registerGitRoutes(app: FastifyInstance, ports: GitPorts): void {
  void app.register(async (git) => {
    git.removeAllContentTypeParsers();
    git.addContentTypeParser([UPLOAD_PACK_REQUEST, RECEIVE_PACK_REQUEST], (_request, body, done) => done(null, body));
    git.setErrorHandler(answerAsText);
    for (const base of BASES) registerAt(git, base, ports);
  });
}

function registerAt(git: FastifyInstance, base: string, ports: GitPorts): void {
  git.get(`${base}/info/refs`, { exposeHeadRoute: false }, (request, reply) => advertise(request, reply, ports));
  git.post(`${base}/git-upload-pack`, (request, reply) => uploadPack(request, reply, ports));
  git.post(`${base}/git-receive-pack`, async () => {
    throw new CoregitError("Forbidden", READ_ONLY);
  });
  refuseOtherMethods(git, `${base}/info/refs`, new Set(["GET"]));
  refuseOtherMethods(git, `${base}/git-upload-pack`, new Set(["POST"]));
}

async function advertise(request: FastifyRequest, reply: FastifyReply, ports: GitPorts): Promise<FastifyReply> {
  const { service } = request.query as { readonly service?: unknown };
  const { repository } = await admitGit(request, reply, { ...ports, right: "read" });
  if (service === "git-receive-pack") throw new CoregitError("Forbidden", READ_ONLY);
  if (service !== "git-upload-pack") throw new CoregitError("Forbidden", "Only git's smart HTTP protocol is served here.");
  const exchange = exchangeOf(request, reply, { repository, ports });
  const refs = ports.uploadPack.advertise(exchange);
  const answer = exchange.protocol === "version=2" ? refs : prepend(SERVICE_LINE, refs);
  return stream(reply, "application/x-git-upload-pack-advertisement", answer);
}

async function uploadPack(request: FastifyRequest, reply: FastifyReply, ports: GitPorts): Promise<FastifyReply> {
  const { repository } = await admitGit(request, reply, { ...ports, right: "read" });
  const body = readGitBody(request.body as Readable, request.headers["content-encoding"]);
  const exchange = exchangeOf(request, reply, { repository, ports });
  return stream(reply, "application/x-git-upload-pack-result", ports.uploadPack.serve(exchange, body));
}

function exchangeOf(
  request: FastifyRequest,
  reply: FastifyReply,
  { repository, ports }: { readonly repository: Repository; readonly ports: GitPorts },
): GitRequest {
  const protocol = request.headers["git-protocol"];
  return { repository, protocol: typeof protocol === "string" ? protocol : null, signal: ports.signalOf(reply) };
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

function stream(reply: FastifyReply, type: string, source: AsyncIterable<Uint8Array>): Promise<FastifyReply> {
  return sendStream(reply, { status: 200, headers: { "cache-control": "no-cache", "content-type": type }, source });
}

function answerAsText(error: unknown, _request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, body } = problemOf(error);
  if (status === 401) reply.header("www-authenticate", 'Basic realm="coregit", charset="UTF-8"');
  return reply.code(status).type("text/plain; charset=utf-8").send(`${body.error}\n`);
}
