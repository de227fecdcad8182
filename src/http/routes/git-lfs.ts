// What git-lfs asks for below /:namespace/:slug.git/info/lfs. There is no LFS here, and this says so in the words that its
// clients know (git-lfs, docs/api): a transfer fails with the sentence, 501; locks are not there, 404, of which a push makes
// nothing. Who may not read the repository learns neither.
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { admitGit, GIT_REALM, type GitDoors } from "../git-access.ts";
import { problemOf } from "../problem.ts";

const CONTENT_TYPE = "application/vnd.git-lfs+json";
const NO_LFS =
  "This server does not store Git LFS objects. Commit the files to git itself (git lfs migrate export), or set lfs.url to a server that stores them.";
const NO_LOCKS = "This server has no Git LFS file locks.";
const DOCUMENTATION = "https://github.com/git-lfs/git-lfs/blob/main/docs/man/git-lfs-migrate.adoc";

export function registerLfsRoutes(git: FastifyInstance, bases: readonly string[], doors: GitDoors): void {
  void git.register(async (lfs) => {
    // What is asked does not matter, so it is not read.
    lfs.removeAllContentTypeParsers();
    lfs.addContentTypeParser("*", (_request, _body, done) => done(null));
    lfs.setErrorHandler(answerInLfs);
    for (const base of bases) {
      lfs.all(`${base}/info/lfs/*`, async (request, reply) => {
        await admitGit(request, reply, { ...doors, right: "read" });
        const { "*": rest } = request.params as { readonly "*": string };
        const asksForLocks = rest === "locks" || rest.startsWith("locks/");
        return asksForLocks ? answer(reply, 404, NO_LOCKS) : answer(reply, 501, NO_LFS);
      });
    }
  });
}

function answerInLfs(error: unknown, _request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, body } = problemOf(error);
  if (status === 401) reply.headers({ "lfs-authenticate": GIT_REALM, "www-authenticate": GIT_REALM });
  return answer(reply, status, body.error);
}

function answer(reply: FastifyReply, status: number, message: string): FastifyReply {
  if (!reply.request.raw.complete) reply.header("connection", "close");
  // Text, since this content type is not one that is known to be JSON.
  const body = JSON.stringify({ message, documentation_url: DOCUMENTATION, request_id: reply.request.id });
  return reply.code(status).type(CONTENT_TYPE).send(body);
}
