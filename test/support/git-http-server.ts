// A git server for tests: node:http(s) in front of the real `git http-backend`, over loopback. It records what it is
// asked and misbehaves on demand; how a fault is played is in git-http-faults.ts.
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { runGitCgi } from "./git-cgi.ts";
import { type Fault, playFault, relay } from "./git-http-faults.ts";
import { knowSecretsIn } from "./secrets/declared-secrets.ts";

export type RecordedRequest = {
  readonly method: string;
  /** Path and query as they arrived. */
  readonly path: string;
  /** Lower-case names; `authorization` is reduced to its scheme. */
  readonly headers: Readonly<Record<string, string>>;
  /** User name of a Basic credential, or null. */
  readonly user: string | null;
  /** Bytes of answer body sent so far. */
  sentBytes: number;
};

export type GitHttpServerOptions = {
  /** Folder of bare repositories: `<root>/a/b.git` is served at `/a/b.git`. */
  readonly root: string;
  /** Without it everybody is let in. */
  readonly basicAuth?: { readonly username: string; readonly password: string };
  /** PEM; serves https. `createTestCertificate` makes one. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** `v0`: protocol v2 is not offered. */
  readonly protocol?: "v0" | "v2";
  /** git configuration of the server, for example `uploadpack.allowFilter`. Pushes are allowed. */
  readonly config?: Readonly<Record<string, string>>;
  /** Address to listen on, default 127.0.0.1. */
  readonly host?: string;
};

export type GitHttpServer = AsyncDisposable & {
  /** `http://127.0.0.1:<port>`, without a trailing slash. */
  readonly url: string;
  readonly port: number;
  readonly requests: RecordedRequest[];
  /** Connections accepted so far. */
  readonly connections: number;
  /** Decides for each request whether it is answered wrongly; null: answer as git does. */
  fault: ((request: RecordedRequest) => Fault | null) | null;
  /** What happens elsewhere before a request is answered, a refusal included. */
  meanwhile: (() => Promise<void>) | null;
  /** May be changed while it runs. */
  protocol: "v0" | "v2";
};

function basicCredential(header: string | undefined): { readonly user: string; readonly password: string } | null {
  if (header === undefined || !header.startsWith("Basic ")) return null;
  const text = Buffer.from(header.slice(6), "base64").toString("utf8");
  const colon = text.indexOf(":");
  return colon < 0 ? null : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

function record(request: IncomingMessage): RecordedRequest {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) headers[name] = String(value);
  const { authorization } = headers;
  if (authorization !== undefined) headers.authorization = authorization.split(" ")[0] ?? "";
  const user = basicCredential(request.headers.authorization)?.user ?? null;
  return { method: request.method ?? "", path: request.url ?? "", headers, user, sentBytes: 0 };
}

function isAllowed(request: IncomingMessage, auth: GitHttpServerOptions["basicAuth"]): boolean {
  if (auth === undefined) return true;
  const given = basicCredential(request.headers.authorization);
  return given !== null && given.user === auth.username && given.password === auth.password;
}

function listen(server: Server, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, host, () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}

/** Starts a server on a free port. Disposal ends it with every connection and process. */
export async function startGitHttpServer(options: GitHttpServerOptions): Promise<GitHttpServer> {
  knowSecretsIn("a git server", options.basicAuth);
  const requests: RecordedRequest[] = [];
  const running = new Set<() => void>();
  let connections = 0;

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const recorded = record(request);
    requests.push(recorded);
    await handle.meanwhile?.();
    const fault = handle.fault?.(recorded) ?? null;
    if (fault !== null && playFault(fault, response, recorded)) return;
    if (!isAllowed(request, options.basicAuth)) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="test"' }).end();
      return;
    }
    const cgi = await runGitCgi(request, new URL(request.url ?? "/", "http://localhost"), {
      root: options.root,
      protocol: handle.protocol,
      config: options.config ?? {},
      user: recorded.user,
    });
    running.add(cgi.stop);
    response.once("close", cgi.stop);
    response.writeHead(cgi.status, Object.fromEntries(cgi.headers));
    await relay(cgi.body, response, recorded, fault);
    running.delete(cgi.stop);
  };

  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    response.on("error", () => undefined);
    answer(request, response).catch(() => response.destroy());
  };
  const server: Server = options.tls === undefined ? createHttpServer(listener) : createHttpsServer(options.tls, listener);
  server.on("connection", () => {
    connections += 1;
  });
  const host = options.host ?? "127.0.0.1";
  const port = await listen(server, host);
  const handle: GitHttpServer = {
    url: `${options.tls === undefined ? "http" : "https"}://${host.includes(":") ? `[${host}]` : host}:${port}`,
    port,
    requests,
    get connections() {
      return connections;
    },
    fault: null,
    meanwhile: null,
    protocol: options.protocol ?? "v2",
    async [Symbol.asyncDispose]() {
      for (const stop of running) stop();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  return handle;
}
