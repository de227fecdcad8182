// A way to the API server on which a test sees every request and may cut some off: before the server has it, or after the
// server has acted on it and before the answer is heard.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { request } from "node:https";
import type { KubeConfig } from "../../src/kube/kube-config.ts";

export type SeenRequest = { readonly method: string; readonly path: string };

export type Cut = "before" | "after" | null;

export interface CuttingProxy extends AsyncDisposable {
  /** Leads through the proxy. */
  readonly config: KubeConfig;
  readonly requests: readonly SeenRequest[];
  /** Asked of each request. */
  decide: (request: SeenRequest) => Cut;
}

/** `config` is the direct way, with a token, and is changed into the one through the proxy. */
export async function startCuttingProxy(config: KubeConfig): Promise<CuttingProxy> {
  const cluster = config.getCurrentCluster();
  const token = config.getCurrentUser()?.token;
  if (cluster === null || token === undefined) throw new Error("the kubeconfig has no cluster or no token");
  const ca = Buffer.from(cluster.caData ?? "", "base64");
  const requests: SeenRequest[] = [];
  const forward = (incoming: IncomingMessage, outgoing: ServerResponse, cut: Cut): void => {
    const headers = { ...incoming.headers, authorization: `Bearer ${token}`, host: new URL(cluster.server).host };
    const upstream = request(`${cluster.server}${incoming.url}`, { method: incoming.method, headers, ca }, (answer) => {
      if (cut === "after") return void answer.resume().on("end", () => outgoing.destroy());
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    upstream.on("error", () => outgoing.destroy());
    outgoing.on("close", () => upstream.destroy());
    incoming.pipe(upstream);
  };
  const server = createServer((incoming, outgoing) => {
    const { pathname } = new URL(incoming.url ?? "/", "http://proxy");
    const seen = { method: incoming.method ?? "", path: pathname };
    requests.push(seen);
    const cut = proxy.decide(seen);
    if (cut === "before") incoming.destroy();
    else forward(incoming, outgoing, cut);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = address !== null && typeof address === "object" ? address.port : 0;
  config.clusters = config.clusters.map((each) => ({
    name: each.name,
    server: `http://127.0.0.1:${port}`,
    skipTLSVerify: true,
  }));
  const proxy: CuttingProxy = {
    config,
    requests,
    decide: () => null,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  return proxy;
}
