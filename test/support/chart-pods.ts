// The pods that objects of the chart make.
import type { ChartObject } from "./helm.ts";

type Probe = { readonly httpGet: { readonly path: string } };

export type Variable = {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly secretKeyRef?: { readonly name: string; readonly key: string } };
};

export type Container = {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly Variable[];
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly securityContext: { readonly readOnlyRootFilesystem?: boolean };
};

/** Of a projected volume. */
type Source = {
  readonly serviceAccountToken?: { readonly expirationSeconds: number };
  readonly configMap?: { readonly name: string };
};

type Volume = {
  readonly name: string;
  readonly emptyDir?: { readonly sizeLimit?: string };
  readonly projected?: { readonly sources: readonly Source[] };
};

export type PodSpec = {
  readonly serviceAccountName?: string;
  readonly automountServiceAccountToken?: boolean;
  readonly containers: readonly Container[];
  readonly volumes: readonly Volume[];
};

export type PodTemplate = {
  /** Kind and name of the object that makes the pods. */
  readonly owner: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: PodSpec;
  /** Volumes that the owner claims for each pod. */
  readonly claims: readonly string[];
};

type Templated = {
  readonly template?: { readonly metadata: { readonly labels: Record<string, string> }; readonly spec: PodSpec };
  readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[];
};

export function podTemplates(objects: readonly ChartObject[]): readonly PodTemplate[] {
  return objects.flatMap(({ kind, metadata, spec }) => {
    const { template, volumeClaimTemplates = [] } = (spec ?? {}) as Templated;
    if (template === undefined) return [];
    const claims = volumeClaimTemplates.map(({ metadata: { name } }) => name);
    return [{ owner: `${kind} ${metadata.name}`, labels: template.metadata.labels, spec: template.spec, claims }];
  });
}

export function isSubset(part: object, whole: Readonly<Record<string, string>>): boolean {
  return Object.entries(part).every(([key, value]) => whole[key] === value);
}

type Selecting = {
  readonly selector?: { readonly matchLabels?: object };
  readonly podSelector?: { readonly matchLabels?: object };
};

/** The labels by which an object selects pods; null when it selects none. */
export function podSelectorOf({ kind, spec }: ChartObject): object | null {
  const { selector, podSelector } = (spec ?? {}) as Selecting;
  if (kind === "ServiceMonitor") return null;
  if (kind === "Service") return selector ?? null;
  return podSelector?.matchLabels ?? selector?.matchLabels ?? null;
}
