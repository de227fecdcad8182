// Series of single resources: what each shows of itself, under its own namespace and name. Kept as the text that a scrape gets, made
// anew only for a resource that changed: a scrape of ten thousand of them then costs a copy, not the rendering of each label.

type Condition = { readonly type: string; readonly status: string; readonly reason: string };

/** As the operator sees it, in its own port's form. */
type ShownResource = {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly conditions: readonly Condition[];
  /** Epoch milliseconds; null: it has no such time. */
  readonly lastSyncedAtMs: number | null;
};

export interface ResourceMetrics {
  shown(resource: ShownResource): void;
  gone(resource: Pick<ShownResource, "kind" | "namespace" | "name">): void;
  /** Somebody else shows them now. */
  cleared(): void;
}

const CONDITION = "coregit_resource_condition";
const LAST_SYNCED = "coregit_sync_last_synced_timestamp_seconds";

type Samples = { readonly conditions: string; readonly lastSynced: string };

export class ResourceSeries implements ResourceMetrics {
  readonly #samples = new Map<string, Samples>();

  shown(resource: ShownResource): void {
    const { kind, namespace, name, conditions, lastSyncedAtMs } = resource;
    const lines = conditions.map(({ type, status, reason }) =>
      sample(CONDITION, { kind, namespace, name, type, status, reason }, 1),
    );
    const lastSynced = lastSyncedAtMs === null ? "" : sample(LAST_SYNCED, { namespace, name }, lastSyncedAtMs / 1000);
    this.#samples.set(keyOf(resource), { conditions: lines.join(""), lastSynced });
  }

  gone(resource: Pick<ShownResource, "kind" | "namespace" | "name">): void {
    this.#samples.delete(keyOf(resource));
  }

  cleared(): void {
    this.#samples.clear();
  }

  /** In Prometheus' text format; empty while nothing is shown. */
  render(): string {
    if (this.#samples.size === 0) return "";
    const all = [...this.#samples.values()];
    return [
      head(CONDITION, "1 for each condition of a resource, by its present status and reason."),
      ...all.map(({ conditions }) => conditions),
      head(LAST_SYNCED, "When a RepoSync was last in step, as its status has it."),
      ...all.map(({ lastSynced }) => lastSynced),
    ].join("");
  }
}

function keyOf({ kind, namespace, name }: Pick<ShownResource, "kind" | "namespace" | "name">): string {
  return `${kind}/${namespace}/${name}`;
}

function head(metric: string, help: string): string {
  return `# HELP ${metric} ${help}\n# TYPE ${metric} gauge\n`;
}

function sample(metric: string, labels: Readonly<Record<string, string>>, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
  return `${metric}{${pairs.join(",")}} ${value}\n`;
}

function escaped(text: string): string {
  if (!/[\\"\n]/.test(text)) return text;
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
