// The HTTP server as one Fastify app: who is let in, what every answer carries, how long a client may take, how it closes.
// What is answered is in routes/. It holds no state beyond its connections, so any replica answers any request.
import { type FastifyError, type FastifyInstance, type FastifyReply, fastify } from "fastify";
import { CoregitError } from "../domain/errors.ts";
import { type Admit, admitAll, createAdmission } from "./admission.ts";
import { refuseConnection } from "./client-error.ts";
import { createGuard } from "./guard.ts";
import { acceptJson } from "./json-body.ts";
import { createAuthenticator } from "./keys.ts";
import { HTTP_LIMITS, type HttpLimits } from "./limits.ts";
import { pathOf } from "./path-of.ts";
import type { ReceivePack, UploadPack } from "./ports.ts";
import { problemOf } from "./problem.ts";
import { RateLimit } from "./rate-limit.ts";
import { type RouteDoors, registerRoutes } from "./register-routes.ts";
import { requestId } from "./request-id.ts";
import { type Observer, observeRequests } from "./request-log.ts";
import { createRequestSignals } from "./request-signal.ts";
import { limitRequestTime } from "./request-time.ts";
import type { Route } from "./route.ts";
import { registerDocumentRoutes } from "./routes/document.ts";
import { registerGitRoutes } from "./routes/git.ts";
import { type HealthPorts, registerHealthRoutes } from "./routes/health.ts";
import { type ApiPorts, apiRoutes } from "./routes.ts";
import { registerSignedRoutes } from "./signed-routes.ts";

export type ServerOptions = ApiPorts &
  HealthPorts &
  Observer & {
    readonly uploadPack: UploadPack;
    readonly receivePack: ReceivePack;
    /** null: health and metrics only. */
    readonly masterKey: string | null;
    /** Requests a minute of one scoped token. */
    readonly tokenRateLimit: number;
    readonly limits?: HttpLimits;
  };

const SECURITY_HEADERS = {
  "x-content-type-options": "nosniff",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
} as const;

/**
 * The app, not yet listening. `close()` goes on to answer for `closeLingerMs`, or not at all when there are only probes; then it ends
 * streams, stops accepting, waits for answers on their way and resolves when no connection is left.
 */
export function createHttpServer(options: ServerOptions): FastifyInstance {
  const limits = options.limits ?? HTTP_LIMITS;
  const app = fastify({
    logger: false,
    genReqId: (request) => requestId(request.headers["x-request-id"]),
    bodyLimit: limits.maxJsonBytes,
    requestTimeout: 0,
    http: { headersTimeout: limits.headersTimeoutMs, connectionsCheckingInterval: limits.timeoutCheckMs },
    routerOptions: { maxParamLength: limits.maxParamLength },
    clientErrorHandler: refuseConnection,
    // What still comes while it closes is answered like everything before; `closeConnections` says when that ends.
    return503OnClosing: false,
    // Raised before any hook runs, so what hooks add is added here.
    frameworkErrors: (error, request, reply: FastifyReply) => {
      const { status, body } = problemOf(error);
      void reply
        .code(status)
        .headers({ ...SECURITY_HEADERS, "x-request-id": request.id })
        .send(body);
    },
  });
  app.server.maxConnections = limits.maxConnections;
  const signalOf = createRequestSignals(app, options.masterKey === null ? 0 : limits.closeLingerMs);
  app.addHook("onRequest", async (request, reply) => {
    reply.headers({ ...SECURITY_HEADERS, "x-request-id": request.id });
  });
  limitRequestTime(app, limits.requestTimeoutMs);
  observeRequests(app, options);
  answerProblems(app);
  registerHealthRoutes(app, options);
  if (options.masterKey !== null) {
    const authenticate = createAuthenticator(options.masterKey, options.tokens);
    const doors = { admit: createAdmission(authenticate, new RateLimit(options.tokenRateLimit, options.clock)), signalOf };
    registerGitRoutes(app, { ...options, ...doors, limits });
    const routes = apiRoutes(options);
    registerDocumentRoutes(app, routes);
    const [signed, keyed] = [true, false].map((isSigned) => routes.filter(({ access }) => (access === "signed") === isSigned));
    void app.register(async (api) => registerApi(api, keyed ?? [], { guard: createGuard(options.store), ...doors }), {
      prefix: "/v1",
    });
    void app.register(async (api) => registerSignedRoutes(api, signed ?? [], { signalOf, limits }), { prefix: "/v1" });
  }
  return app;
}

async function registerApi(
  api: FastifyInstance,
  routes: readonly Route[],
  { admit, ...doors }: RouteDoors & { readonly admit: Admit },
): Promise<void> {
  acceptJson(api, doors.signalOf);
  admitAll(api, admit);
  registerRoutes(api, routes, doors);
}

function answerProblems(app: FastifyInstance): void {
  app.setErrorHandler((error: FastifyError, _request, reply) => {
    const { status, body } = problemOf(error);
    return reply.code(status).send(body);
  });
  app.setNotFoundHandler((request, reply) => {
    const { status, body } = problemOf(new CoregitError("NotFound", `There is nothing at ${pathOf(request.url)}.`));
    return reply.code(status).send(body);
  });
}
