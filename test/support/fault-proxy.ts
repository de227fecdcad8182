// A way to the API server that breaks the watch of one kind in one namespace, and what is asked for there next, in the ways in which
// API servers and what is before them are known to break. Everything else passes.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { request } from "node:https";
import type { KubeConfig } from "../../src/kube/kube-config.ts";

export const API_FAULTS = ["gone", "busy", "failing", "reset", "half-open", "truncated", "silent", "expired"] as const;
export type ApiFault = (typeof API_FAULTS)[number];

/** `<namespace>/<plural>`. */
export type Lane = string;

export interface FaultProxy extends AsyncDisposable {
  readonly url: string;
  /** Connections now, and the most at a time so far. */
  readonly sockets: { readonly open: number; readonly most: number };
  /** Lists that were asked for in the lane so far. */
  lists(lane: Lane): number;
  isWatching(lane: Lane): boolean;
  inject(lane: Lane, fault: ApiFault): void;
}

type State = { watch: ServerResponse | null; next: ApiFault | null; lists: number };

/** What a watch gets that is open when the fault begins. */
const ON_WATCH: Readonly<Record<ApiFault, (watch: ServerResponse) => void>> = {
  gone: (watch) =>
    void watch.end(`${JSON.stringify({ type: "ERROR", object: { kind: "Status", code: 410, reason: "Expired" } })}\n`),
  busy: (watch) => void watch.end(),
  failing: (watch) => void watch.end(),
  reset: (watch) => void watch.socket?.resetAndDestroy(),
  "half-open": (watch) => void watch.end(),
  truncated: (watch) => void watch.end('{"type":"MODIFIED","object":{"meta'),
  // What comes from the server is read, and goes nowhere.
  silent: () => undefined,
  expired: (watch) => void watch.end(),
};

/** What the next request in the lane gets; absent: the server's answer. */
const ON_NEXT: Partial<Readonly<Record<ApiFault, (response: ServerResponse) => void>>> = {
  busy: (response) => refuse(response, 429, { "retry-after": "1" }),
  failing: (response) => refuse(response, 503),
  reset: (response) => void response.socket?.resetAndDestroy(),
  "half-open": () => undefined,
  expired: (response) => refuse(response, 401),
};

function refuse(response: ServerResponse, code: number, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(code, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify({ kind: "Status", code, reason: `Code${code}`, message: `scripted ${code}` }));
}

/** Calls go to the server of `config`, with its token. */
export async function startFaultProxy(config: KubeConfig): Promise<FaultProxy> {
  const lanes = new Map<Lane, State>();
  const stateOf = (lane: Lane): State => {
    const state = lanes.get(lane) ?? { watch: null, next: null, lists: 0 };
    lanes.set(lane, state);
    return state;
  };
  const forward = forwarder(config);
  const server = createServer((incoming, outgoing) => {
    outgoing.on("error", () => undefined);
    const asked = laneOf(incoming);
    if (asked === null) return forward(incoming, outgoing);
    const state = stateOf(asked.lane);
    if (!asked.isWatch) state.lists += 1;
    const play = state.next === null ? undefined : ON_NEXT[state.next];
    state.next = null;
    if (play !== undefined) return play(outgoing);
    if (asked.isWatch) {
      state.watch = outgoing;
      outgoing.on("close", () => {
        if (state.watch === outgoing) state.watch = null;
      });
    }
    forward(incoming, outgoing);
  });
  const sockets = { open: 0, most: 0 };
  server.on("connection", (socket) => {
    sockets.open += 1;
    sockets.most = Math.max(sockets.most, sockets.open);
    socket.on("error", () => undefined);
    socket.on("close", () => {
      sockets.open -= 1;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = address !== null && typeof address === "object" ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    sockets,
    lists: (lane) => stateOf(lane).lists,
    isWatching: (lane) => stateOf(lane).watch !== null,
    inject(lane, fault) {
      const state = stateOf(lane);
      const { watch } = state;
      state.next = fault;
      state.watch = null;
      if (watch === null) return;
      watch.emit("broken");
      ON_WATCH[fault](watch);
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Of a request for a kind in a namespace; null of any other. */
function laneOf({ method, url }: IncomingMessage): { readonly lane: Lane; readonly isWatch: boolean } | null {
  const { pathname, searchParams } = new URL(url ?? "/", "http://proxy");
  const [, namespace, plural] = /^\/apis\/coregit\.dev\/v1alpha1\/namespaces\/([^/]+)\/([^/]+)$/.exec(pathname) ?? [];
  if (method !== "GET" || namespace === undefined || plural === undefined) return null;
  return { lane: `${namespace}/${plural}`, isWatch: searchParams.get("watch") === "true" };
}

type Forward = (incoming: IncomingMessage, outgoing: ServerResponse) => void;

function forwarder(config: KubeConfig): Forward {
  const cluster = config.getCurrentCluster();
  const token = config.getCurrentUser()?.token;
  if (cluster === null || token === undefined) throw new Error("the kubeconfig has no cluster or no token");
  const ca = Buffer.from(cluster.caData ?? "", "base64");
  const { host } = new URL(cluster.server);
  return (incoming, outgoing) => {
    const headers = { ...incoming.headers, authorization: `Bearer ${token}`, host };
    const upstream = request(`${cluster.server}${incoming.url}`, { method: incoming.method, headers, ca }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      outgoing.flushHeaders();
      answer.pipe(outgoing);
      outgoing.on("broken", () => answer.unpipe(outgoing).resume());
      answer.on("error", () => outgoing.destroy());
    });
    upstream.on("error", () => outgoing.destroy());
    outgoing.on("close", () => upstream.destroy());
    incoming.pipe(upstream);
  };
}
