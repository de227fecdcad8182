// Routes without a key, whose bodies prove themselves. What headers alone tell is refused before anything is read: a size, a
// compression, a type that is not taken.
import type { FastifyInstance, FastifyRequest } from "fastify";
import { CoregitError } from "../domain/errors.ts";
import { Turns } from "../repositories/turns.ts";
import { admitNobody } from "./admission.ts";
import type { HttpLimits } from "./limits.ts";
import { RawBody, type RawBodyLimits } from "./raw-body.ts";
import { registerRoutes, type SignalOf } from "./register-routes.ts";
import type { Route } from "./route.ts";

const TYPES = ["application/json", "application/x-www-form-urlencoded"];
const LARGE_BYTES = 1024 * 1024;
const LARGE_AT_ONCE = 4;

export type SignedRouteOptions = {
  readonly signalOf: SignalOf;
  readonly limits: Pick<HttpLimits, "maxJsonBytes" | "signedBodyMs">;
};

export function registerSignedRoutes(api: FastifyInstance, routes: readonly Route[], options: SignedRouteOptions): void {
  const { signalOf, limits } = options;
  const shared = { largeBytes: LARGE_BYTES, turns: new Turns(LARGE_AT_ONCE), readMs: limits.signedBodyMs };
  const limitsOf = (request: FastifyRequest): RawBodyLimits => ({ ...shared, maxBytes: request.routeOptions.bodyLimit });
  api.removeAllContentTypeParsers();
  api.addContentTypeParser(TYPES, (request, body, done) => done(null, new RawBody(body, request.headers, limitsOf(request))));
  admitNobody(api);
  registerRoutes(api, routes, { signalOf, guard: async (_route, request) => refuseByHeaders(request) });
}

function refuseByHeaders({ headers, routeOptions }: FastifyRequest): void {
  if (Number(headers["content-length"] ?? 0) > routeOptions.bodyLimit) {
    throw new CoregitError("BodyTooLarge", `The delivery is larger than ${routeOptions.bodyLimit} bytes.`);
  }
  // Providers compress nothing, and what is signed are the bytes as they come.
  const encoding = headers["content-encoding"] ?? "identity";
  if (encoding !== "identity") throw new CoregitError("InvalidRequest", "A compressed delivery is not taken.");
}
