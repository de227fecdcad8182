// The composition of the commands that the chart's jobs run: one client of the API server each, closed again.
import { setTimeout as delay } from "node:timers/promises";
import type { ClusterChores } from "./cli/ports.ts";
import { keysToWrite } from "./config/cluster-keys.ts";
import { systemClock } from "./domain/clock.ts";
import { KubeApi } from "./kube/kube-api.ts";
import { currentNamespace, type KubeConfig, loadKubeConfig } from "./kube/kube-config.ts";
import { KubeTransport } from "./kube/transport.ts";
import { fillSecret } from "./operator/fill-secret.ts";
import { deleteResources, releaseResources } from "./operator/release-resources.ts";

const FIELD_MANAGER = "coregit-jobs";
/** An operator withdraws a resource in seconds; a provider that is away may cost each one a minute. */
const DELETION_GRACE_MS = 240_000;

const pause = (ms: number, signal: AbortSignal): Promise<void> => delay(ms, undefined, { signal });

export function createClusterChores(version: string): ClusterChores {
  const withApi = async <T>(work: (api: KubeApi, config: KubeConfig) => Promise<T>): Promise<T> => {
    const config = loadKubeConfig();
    await using transport = new KubeTransport(config, `coregit/${version}`);
    return await work(new KubeApi(transport, FIELD_MANAGER), config);
  };
  return {
    fillSecret: ({ name, namespace, given, postgresql, signal }) =>
      withApi(async (api, config) => {
        const place = { namespace: namespace ?? currentNamespace(config), name };
        const texts = await fillSecret(api, place, (present) => keysToWrite(present, given, postgresql), signal);
        return Object.keys(texts);
      }),
    releaseResources: ({ namespaces, deletes, signal }) =>
      withApi(async (api) => {
        const options = { api, namespaces, pause, clock: systemClock, graceMs: DELETION_GRACE_MS, signal };
        return deletes ? await deleteResources(options) : await releaseResources(options);
      }),
  };
}
