// The test run's API server as a test uses it: the CRDs installed, namespaces of its own, objects by a client, and kubectl as
// a person has it.
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { inject } from "vitest";
import { KubeApi } from "../../src/kube/kube-api.ts";
import { type KubeConfig, loadKubeConfig } from "../../src/kube/kube-config.ts";
import type { KubeObject, ResourceKind } from "../../src/kube/object.ts";
import { KubeTransport } from "../../src/kube/transport.ts";
import { KINDS } from "../../src/resources/kinds.ts";
import "./control-plane-setup.ts";

const run = promisify(execFile);
const CRDS = join(import.meta.dirname, "../../crds");

export const NAMESPACES: ResourceKind = { group: "", version: "v1", plural: "namespaces", kind: "Namespace" };
export const CRD_KIND: ResourceKind = {
  group: "apiextensions.k8s.io",
  version: "v1",
  plural: "customresourcedefinitions",
  kind: "CustomResourceDefinition",
};

export type Cluster = AsyncDisposable & {
  /** A kubeconfig that shares nothing with others. */
  newConfig(): KubeConfig;
  readonly transport: KubeTransport;
  readonly api: KubeApi;
  /** Standard output. @throws with kubectl's standard error in the message. */
  kubectl(...args: string[]): Promise<string>;
  /** A new namespace. Nothing deletes namespaces here: no controller runs that would. */
  createNamespace(): Promise<string>;
};

export type ClusterAddress = {
  readonly kubeconfig: string;
  readonly kubectl: string;
  /** Folder of the CRDs to install. */
  readonly crds: string;
};

/** The test run's API server with the CRDs of this checkout, or what `address` says. */
export async function connectCluster(address?: ClusterAddress): Promise<Cluster> {
  const {
    kubeconfig,
    kubectl: program,
    crds,
  } = address ?? {
    kubeconfig: inject("kubeconfig"),
    kubectl: inject("kubectl"),
    crds: CRDS,
  };
  const cluster = clusterAt({ kubeconfig, kubectl: program });
  await cluster.kubectl("apply", "--server-side", "--force-conflicts", "--filename", crds);
  const names = Object.values(KINDS).map(({ plural }) => `crd/${plural}.coregit.dev`);
  await cluster.kubectl("wait", "--for=condition=Established", "--timeout=30s", ...names);
  return cluster;
}

/** An API server as it is. */
export function clusterAt({ kubeconfig, kubectl: program }: Omit<ClusterAddress, "crds">): Cluster {
  const newConfig = (): KubeConfig => loadKubeConfig({ path: kubeconfig });
  const transport = new KubeTransport(newConfig(), "coregit-test");
  const api = new KubeApi(transport, "coregit-test");
  const cache = join(dirname(kubeconfig), "kubectl-cache");
  const env = { KUBECONFIG: kubeconfig, HOME: "/nonexistent", KUBECACHEDIR: cache };
  const kubectl = async (...args: string[]): Promise<string> =>
    (await run(program, args, { env, maxBuffer: 16 * 1024 * 1024 })).stdout;
  return {
    newConfig,
    transport,
    api,
    kubectl,
    async createNamespace() {
      const name = `test-${randomBytes(5).toString("hex")}`;
      await transport.call({ method: "POST", path: "/api/v1/namespaces", body: { metadata: { name } } });
      return name;
    },
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  };
}

export function readyOf(object: KubeObject | null): {
  readonly status?: string;
  readonly reason?: string;
  readonly message?: string;
} {
  return conditionOf(object, "Ready") ?? {};
}

export type ShownCondition = {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
  readonly lastTransitionTime: string;
};

export function conditionOf(object: KubeObject | null, type: string): ShownCondition | null {
  const { conditions = [] } = (object?.status ?? {}) as { readonly conditions?: readonly ShownCondition[] };
  return conditions.find((condition) => condition.type === type) ?? null;
}
