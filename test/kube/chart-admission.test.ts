// What the chart renders, judged by a real API server without storing it: every field known and valid, and every pod within the
// "restricted" Pod Security standard.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type PodTemplate, podTemplates } from "../support/chart-pods.ts";
import { type Cluster, connectCluster } from "../support/cluster.ts";
import { foreignCrdFiles } from "../support/foreign-crds.ts";
import { HELM_DEADLINE_MS, type Helm, openHelm, SHAPES } from "../support/helm.ts";

let cluster: Cluster;
let helm: Helm;
let folder: string;

const namespaces = ["coregit", "team-a", "team-b"].map((name) => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name, labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
}));

/** Pods of the everything shape name it. */
const priority = { apiVersion: "scheduling.k8s.io/v1", kind: "PriorityClass", metadata: { name: "platform" }, value: 1 };

beforeAll(async () => {
  helm = await openHelm();
  cluster = await connectCluster();
  folder = await mkdtemp(join(tmpdir(), "coregit-chart-"));
  const crds = (await foreignCrdFiles()).flatMap((file) => ["--filename", file]);
  await cluster.kubectl("apply", "--server-side", ...crds);
  await cluster.kubectl("wait", "--for=condition=Established", "--timeout=60s", ...crds);
  await apply({ apiVersion: "v1", kind: "List", items: [...namespaces, priority] });
}, HELM_DEADLINE_MS);

afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function apply(object: object, ...flags: string[]): Promise<string> {
  const file = join(folder, `${process.hrtime.bigint()}.json`);
  await writeFile(file, JSON.stringify(object));
  return await cluster.kubectl("apply", "--server-side", "--force-conflicts", ...flags, "--filename", file);
}

const DRY_RUN = ["--dry-run=server", "--validate=strict"];

/** The pod that a controller would make. */
function podOf({ owner, spec, claims }: PodTemplate): object {
  const name = owner.toLowerCase().replaceAll(" ", "-");
  const claimed = claims.map((claim) => ({ name: claim, persistentVolumeClaim: { claimName: claim } }));
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "coregit" },
    spec: { ...spec, volumes: [...spec.volumes, ...claimed] },
  };
}

describe.each(SHAPES)("with %s values", (shape) => {
  test("the API server accepts every object as it is", async () => {
    const items = await helm.render(shape);
    const output = await apply({ apiVersion: "v1", kind: "List", items }, ...DRY_RUN);
    expect(output.trim().split("\n")).toHaveLength(items.length);
  });

  test("every pod is within the restricted Pod Security standard", async () => {
    const items = podTemplates(await helm.render(shape)).map(podOf);
    const output = await apply({ apiVersion: "v1", kind: "List", items }, ...DRY_RUN);
    expect(output.trim().split("\n")).toHaveLength(items.length);
  });
});

describe("the judges", () => {
  test("refuse a pod that may become root", async () => {
    const [pod] = podTemplates(await helm.render("minimal", "podSecurityContext.runAsNonRoot=false")).map(podOf);
    await expect(apply(pod ?? {}, ...DRY_RUN)).rejects.toThrow('violates PodSecurity "restricted');
  });

  test("refuse a field that there is not", async () => {
    const rule = {
      apiVersion: "monitoring.coreos.com/v1",
      kind: "PrometheusRule",
      metadata: { name: "x", namespace: "coregit" },
    };
    await expect(apply({ ...rule, spec: { group: [] } }, ...DRY_RUN)).rejects.toThrow("field not declared in schema");
  });
});
