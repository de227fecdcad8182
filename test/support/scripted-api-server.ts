// An API server that answers a list and a watch as a test scripts them, faults included. Only what a reflector asks for.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type KubeConfig, loadKubeConfig } from "../../src/kube/kube-config.ts";

export type ApiRequest = {
  readonly isWatch: boolean;
  /** Of the watch; null of a list. */
  readonly resourceVersion: string | null;
  readonly query: URLSearchParams;
};

/** How a request is answered. A watch that was opened stays open until the script or the client ends it. */
export type Answer = (response: ServerResponse) => void;

export type ScriptedApiServer = AsyncDisposable & {
  readonly config: KubeConfig;
  readonly requests: readonly ApiRequest[];
  /** Decides on each request, with its number among the lists or the watches, from 0. */
  script: (request: ApiRequest, number: number) => Answer;
};

export async function startScriptedApiServer(): Promise<ScriptedApiServer> {
  const requests: ApiRequest[] = [];
  const server = createServer((request, response) => {
    const asked = readRequest(request);
    const number = requests.filter(({ isWatch }) => isWatch === asked.isWatch).length;
    requests.push(asked);
    response.on("error", () => undefined);
    handle.script(asked, number)(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const handle: ScriptedApiServer = {
    config: await configFor(`http://127.0.0.1:${port}`),
    requests,
    script: () => refuse(404),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  return handle;
}

function readRequest(request: IncomingMessage): ApiRequest {
  const query = new URL(request.url ?? "/", "http://localhost").searchParams;
  return { isWatch: query.get("watch") === "true", resourceVersion: query.get("resourceVersion"), query };
}

async function configFor(server: string): Promise<KubeConfig> {
  const folder = await mkdtemp(join(tmpdir(), "coregit-kubeconfig-"));
  const path = join(folder, "config");
  const content = {
    "current-context": "test",
    clusters: [{ name: "test", cluster: { server, "insecure-skip-tls-verify": true } }],
    users: [{ name: "test", user: {} }],
    contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
  };
  await writeFile(path, JSON.stringify(content));
  const config = loadKubeConfig({ path });
  await rm(folder, { recursive: true });
  return config;
}

export type Named = { readonly name: string; readonly version: string };

const object = ({ name, version }: Named) => ({
  metadata: { name, namespace: "team", uid: `uid-${name}`, resourceVersion: version },
});

export function listOf(objects: readonly Named[], version: string, continueToken = ""): Answer {
  return (response) => {
    const metadata = { resourceVersion: version, ...(continueToken === "" ? {} : { continue: continueToken }) };
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ kind: "List", metadata, items: objects.map(object) }));
  };
}

export function refuse(code: number, headers: Readonly<Record<string, string>> = {}): Answer {
  return (response) => {
    response.writeHead(code, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify({ kind: "Status", code, reason: `Code${code}`, message: `scripted ${code}` }));
  };
}

export function reset(): Answer {
  return (response) => void response.socket?.resetAndDestroy();
}

export function eventLine(type: string, named: Named): string {
  return `${JSON.stringify({ type, object: object(named) })}\n`;
}

/** Sends `lines`, then does what `then` says; without it the watch stays open and silent. */
export function watchWith(lines: readonly string[], then: Answer = () => undefined): Answer {
  return (response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.flushHeaders();
    const [first, ...rest] = lines;
    if (first === undefined) return then(response);
    response.write(first, () => watchRest(response, rest, then));
  };
}

function watchRest(response: ServerResponse, lines: readonly string[], then: Answer): void {
  const [first, ...rest] = lines;
  if (first === undefined) {
    // A turn of the event loop, so that what was sent is read before what follows.
    setImmediate(() => then(response));
    return;
  }
  response.write(first, () => watchRest(response, rest, then));
}

export function end(): Answer {
  return (response) => void response.end();
}
