// Bodies of API requests: strict JSON and nothing else. Large ones are read a few at a time, since a body, its text and what
// is parsed from it are in memory together.
import type { FastifyInstance, FastifyRequest } from "fastify";
import { Turns } from "../repositories/turns.ts";
import type { SignalOf } from "./register-routes.ts";
import { parseStrictJson } from "./strict-json.ts";

/** Below this a body costs about as much as its connection. */
const LARGE_BODY_BYTES = 4 * 1024 * 1024;
const LARGE_BODIES_AT_ONCE = 4;

export function acceptJson(api: FastifyInstance, signalOf: SignalOf): void {
  api.removeAllContentTypeParsers();
  api.addContentTypeParser<Buffer>("application/json", { parseAs: "buffer" }, async (_request: FastifyRequest, body: Buffer) =>
    parseStrictJson(body),
  );
  const turns = new Turns(LARGE_BODIES_AT_ONCE);
  api.addHook("preParsing", async (request, reply, payload) => {
    // A body of unknown length counts as a large one where large ones are allowed.
    const length = Number(request.headers["content-length"] ?? request.routeOptions.bodyLimit);
    if (length <= LARGE_BODY_BYTES || request.routeOptions.bodyLimit <= LARGE_BODY_BYTES) return payload;
    const turn = await turns.take(signalOf(reply));
    reply.raw.once("close", () => turn[Symbol.dispose]());
    return payload;
  });
}
