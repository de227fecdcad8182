// What a kubelet puts into a container: the variables with what they refer to, and the token of the pod's ServiceAccount where the
// pod has a volume for it, which the API server's admission adds to those that want one.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Cluster } from "./cluster.ts";
import type { Pod } from "./pod-runner.ts";
import { knowSecret } from "./secrets/evidence.ts";

export type PodSurroundings = {
  readonly cluster: Cluster;
  /** Of any user: where the API server is. */
  readonly kubeconfig: string;
  readonly namespace: string;
  /** Changes the value of a variable, for names that resolve in a cluster only. */
  readonly resolve: (value: string) => string;
};

/** `place`: a folder of the pod's own. @throws when a Secret or a key is missing, as the container would not start. */
export async function environmentOf(pod: Pod, place: string, around: PodSurroundings): Promise<Record<string, string>> {
  return { ...(await variablesOf(pod, around)), ...(await accessOf(pod, place, around)), COREGIT_DATA_DIR: place };
}

async function variablesOf({ spec }: Pod, { cluster, namespace, resolve }: PodSurroundings): Promise<Record<string, string>> {
  const variables: Record<string, string> = {};
  for (const { name, value = "", valueFrom } of spec.containers[0]?.env ?? []) {
    const reference = valueFrom?.secretKeyRef;
    if (reference === undefined) {
      // Pods have an address each; these processes share one.
      variables[name] = name === "COREGIT_METRICS_LISTEN" ? "127.0.0.1:0" : resolve(value);
      continue;
    }
    const text = await cluster.kubectl(
      ...["get", "secret", reference.name, "--namespace", namespace],
      `--output=go-template={{index .data "${reference.key}" | base64decode}}`,
    );
    variables[name] = resolve(text);
  }
  return variables;
}

/** A kubeconfig of what the volume would hold: a token that is good for as long as the pod is there, and the cluster's root CA. */
async function accessOf(pod: Pod, place: string, around: PodSurroundings): Promise<Record<string, string>> {
  const sources = pod.spec.volumes.flatMap(({ projected }) => projected?.sources ?? []);
  const wanted = sources.find(({ serviceAccountToken }) => serviceAccountToken !== undefined)?.serviceAccountToken;
  const ca = sources.find(({ configMap }) => configMap !== undefined)?.configMap;
  if (wanted === undefined || ca === undefined) return {};
  const { cluster, kubeconfig, namespace } = around;
  const { clusters } = JSON.parse(await readFile(kubeconfig, "utf8")) as KubeconfigOfTests;
  const server = clusters[0]?.cluster.server;
  const root = await cluster.kubectl("get", "configmap", ca.name, "--namespace", namespace, "--output=jsonpath={.data.ca\\.crt}");
  const token = await requestToken(pod, wanted.expirationSeconds, around);
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "pod",
    clusters: [{ name: "pod", cluster: { server, "certificate-authority-data": Buffer.from(root).toString("base64") } }],
    users: [{ name: "pod", user: { token } }],
    contexts: [{ name: "pod", context: { cluster: "pod", user: "pod", namespace } }],
  };
  const file = join(place, "kubeconfig");
  // The folder is the pod's own.
  await writeFile(file, JSON.stringify(config), { mode: 0o644 });
  return { KUBECONFIG: file };
}

type KubeconfigOfTests = { readonly clusters: readonly { readonly cluster: { readonly server: string } }[] };

async function requestToken({ metadata, spec }: Pod, expirationSeconds: number, around: PodSurroundings): Promise<string> {
  const path = `/api/v1/namespaces/${around.namespace}/serviceaccounts/${spec.serviceAccountName}/token`;
  const boundObjectRef = { apiVersion: "v1", kind: "Pod", name: metadata.name, uid: metadata.uid };
  const body = { spec: { expirationSeconds, boundObjectRef } };
  const answer = await around.cluster.transport.call({ method: "POST", path, body });
  const { token } = (answer as { readonly status: { readonly token: string } }).status;
  knowSecret("the token of a ServiceAccount", token);
  return token;
}
