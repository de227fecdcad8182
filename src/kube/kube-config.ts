// Where the cluster is and how to be let in. The client library makes a new connection pool for every call; here one pool
// lives as long as the certificates it was made with, so that calls share connections and a rotated CA is still seen. It speaks
// HTTP/1.1: the library's HTTP/2 throws where nobody can catch it when a session ends under a stream that has just been answered.
import { createHash } from "node:crypto";
import { KubeConfig } from "@kubernetes/client-node";
import { CoregitError } from "../domain/errors.ts";

export type { KubeConfig };

export type KubeConfigSource = {
  /** A kubeconfig file; without it KUBECONFIG, ~/.kube/config or the pod's service account, in this order. */
  readonly path?: string;
  readonly context?: string;
};

/** @throws CoregitError `InvalidSpec` when the file cannot be read or names no cluster. */
export function loadKubeConfig(source: KubeConfigSource = {}): KubeConfig {
  const config = new KubeConfig();
  try {
    if (source.path === undefined) config.loadFromDefault();
    else config.loadFromFile(source.path);
    if (source.context !== undefined) config.setCurrentContext(source.context);
  } catch (cause) {
    throw new CoregitError("InvalidSpec", "The kubeconfig cannot be read.", { cause });
  }
  if (config.getCurrentCluster() === null) throw new CoregitError("InvalidSpec", "The kubeconfig names no current cluster.");
  return config;
}

/** The namespace of the pod, or of the kubeconfig's context; `default` when neither names one. */
export function currentNamespace(config: KubeConfig): string {
  const namespace = config.getContextObject(config.getCurrentContext())?.namespace?.trim();
  return namespace === undefined || namespace === "" ? "default" : namespace;
}

type Pool = { close(): Promise<void> };
type Connected = { readonly fingerprint: string; readonly pool: Pool | undefined };
type DispatcherArguments = Parameters<KubeConfig["createDispatcherOptions"]>;
type DispatcherOptions = ReturnType<KubeConfig["createDispatcherOptions"]>;

/**
 * Makes `config` keep one connection pool, replaced when its TLS material changes. Disposing closes it when the requests on
 * it have ended, so abort these first.
 * @throws CoregitError `Internal` when the library has no `createDispatcher` to wrap: its version and this file do not fit.
 */
export function shareConnections(config: KubeConfig): AsyncDisposable {
  const create: unknown = Reflect.get(config, "createDispatcher");
  if (typeof create !== "function")
    throw new CoregitError("Internal", "@kubernetes/client-node has no createDispatcher to share.");
  const optionsOf = config.createDispatcherOptions.bind(config);
  const options = (...args: DispatcherArguments): DispatcherOptions => withoutHttp2(optionsOf(...args));
  Object.defineProperty(config, "createDispatcherOptions", { value: options, configurable: true });
  let current: Connected | null = null;
  const shared = (...args: DispatcherArguments): Pool | undefined => {
    const fingerprint = fingerprintOf(options(...args));
    if (current?.fingerprint === fingerprint) return current.pool;
    const retired = current?.pool;
    current = { fingerprint, pool: Reflect.apply(create, config, args) as Pool | undefined };
    // Running requests end on the retired pool; it takes no new ones.
    void retired?.close().catch(() => undefined);
    return current.pool;
  };
  Object.defineProperty(config, "createDispatcher", { value: shared, configurable: true });
  return {
    async [Symbol.asyncDispose]() {
      await current?.pool?.close();
      current = null;
    },
  };
}

/** As the library has it for other connections: below the idle limits of load balancers. */
const KEEP_ALIVE_AFTER_MS = 30_000;

/** Offers HTTP/1.1 alone. What has no TLS material of its own would get the process's shared pool, and gets one here as well. */
function withoutHttp2(options: DispatcherOptions): DispatcherOptions {
  const http1 = { allowH2: false };
  switch (options.type) {
    case "agent":
      return { ...options, connect: { ...options.connect, ...http1 } };
    case "proxy":
      return { ...options, requestTls: { ...options.requestTls, ...http1 } };
    case "none":
      return { type: "agent", connect: { keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_AFTER_MS, ...http1 } };
    case "socks":
      return options;
  }
}

function fingerprintOf(options: unknown): string {
  return createHash("sha256").update(JSON.stringify(options)).digest("base64");
}
