// The chart's values: every shape that is shipped renders, and what is wrong is refused with a sentence.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { CHART, HELM_DEADLINE_MS, type Helm, openHelm, SHAPES, valuesOf } from "../support/helm.ts";

let helm: Helm;

beforeAll(async () => {
  helm = await openHelm();
}, HELM_DEADLINE_MS);

describe("the chart", () => {
  test.each(SHAPES)("passes helm lint --strict with %s values", async (shape) => {
    expect(await helm.run("lint", "--strict", CHART, ...valuesOf(shape))).toContain("0 chart(s) failed");
  });

  test.each(SHAPES)("renders the same twice with %s values", async (shape) => {
    expect(await helm.template(shape)).toBe(await helm.template(shape));
  });

  test("is of the program's version", async () => {
    const chart = parse(await readFile(join(CHART, "Chart.yaml"), "utf8")) as Record<string, unknown>;
    const { version } = JSON.parse(await readFile(join(CHART, "../../package.json"), "utf8")) as { readonly version: string };
    expect([chart.version, chart.appVersion]).toEqual([version, version]);
  });
});

describe("values that are refused", () => {
  test.each([
    ["databaseUr=postgres://db/x", "additional properties 'databaseUr' not allowed"],
    ["api.replicas=2", "additional properties 'replicas' not allowed"],
    ["operator.podDisruptionBudget.minAvailable=1", "additional properties 'minAvailable' not allowed"],
    ["operator.resources.limit.memory=1Gi", "additional properties 'limit' not allowed"],
    ["containerSecurityContext.privilege=true", "additional properties 'privilege' not allowed"],
    ["api.terminationGracePeriodSeconds=4", "at '/api/terminationGracePeriodSeconds': minimum: got 4, want 6"],
    ["api.extraEnv[0].nam=X", "additional properties 'nam' not allowed"],
    ["operator.replicaCount=two", "at '/operator/replicaCount': got string, want integer"],
    ["networkPolicy.enabled=yes", "at '/networkPolicy/enabled': got string, want boolean"],
    ["operator.workers=0", "at '/operator/workers': minimum: got 0, want 1"],
    ["image.pullPolicy=Sometimes", "'Always', 'IfNotPresent', 'Never'"],
    ["image.digest=sha256:abc", "at '/image/digest': 'sha256:abc' does not match pattern"],
    ["blobStore=gs://bucket", "at '/blobStore'"],
    ["packRetention=week", "at '/packRetention'"],
    ["operator.namespaces={Team}", "at '/operator/namespaces/0'"],
    ["existingSecret=keys,databaseUrl=postgres://db/x", "belong into that Secret and not into the values"],
    ["postgresql.enabled=true,databaseUrl=postgres://db/x", "name two databases: set one of them"],
    ["blobStore=file:///packs", "set blobVolume.existingClaim, or blobVolume.size"],
    ["blobVolume.size=1Gi", "blobVolume is for a blobStore of the form file:///dir"],
    ["blobStore=file:///packs,blobVolume.size=1Gi,blobVolume.existingClaim=packs", "leave blobVolume.size empty"],
    ["ingress.enabled=true", "ingress.enabled needs ingress.hosts"],
    ["gateway.enabled=true", "gateway.enabled needs gateway.parentRefs"],
    ["tracing.endpoint=collector:4318", "at '/tracing/endpoint'"],
    ["tracing.endpoint=http://me:secret@collector:4318", "at '/tracing/endpoint'"],
    ["tracing.sampleRatio=2", "at '/tracing/sampleRatio': maximum: got 2, want 1"],
    ["resourceMetrics.enabled=few", "at '/resourceMetrics/enabled': got string, want boolean"],
    ["rbac.enabled=false", "Without rbac.enabled no job can make keys"],
    ["rbac.aggregate.enabled=true,operator.namespaces={a}", "makes ClusterRoles"],
  ])("%s", async (set, message) => {
    await expect(helm.template("default", set)).rejects.toThrow(message);
  });

  test("values of a parent chart are let through", async () => {
    expect(await helm.template("default", "global.region=eu")).toContain("kind: Deployment");
  });

  test("no mapping of the schema takes unknown keys unless it is a map of texts or amounts, or Kubernetes' own", async () => {
    const schema: unknown = JSON.parse(await readFile(join(CHART, "values.schema.json"), "utf8"));
    const open = openMappings(schema, "");
    expect(open.filter((path) => !KUBERNETES_OWN.test(path))).toEqual([]);
  });
});

/** Parts of pods and peers, which the API server checks when they are applied. */
const KUBERNETES_OWN =
  /global$|\/(nodeAffinity|podAffinity|podAntiAffinity|appArmorProfile|seccompProfile|seLinuxOptions|windowsOptions|valueFrom)$|\/(claims|objects|named|sysctls)\/items$/;

function openMappings(schema: unknown, path: string): string[] {
  if (typeof schema !== "object" || schema === null) return [];
  const { type, additionalProperties } = schema as Record<string, unknown>;
  const own = type === "object" && additionalProperties === undefined ? [path] : [];
  return [...own, ...Object.entries(schema).flatMap(([key, value]) => openMappings(value, `${path}/${key}`))];
}

describe("NOTES", () => {
  test("name the next command, and warn of what is for trials", async () => {
    const folder = await mkdtemp(join(tmpdir(), "coregit-notes-"));
    const values = join(folder, "values.yaml");
    await writeFile(values, JSON.stringify({ postgresql: { enabled: true }, masterKey: "cgk_live_0123456789abcdef" }));
    const text = await helm.run("install", "coregit", CHART, "--dry-run=client", "--values", values);
    await rm(folder, { recursive: true });
    expect(text).toContain("WARNING: Keys in the values lie in the release's history too.");
    expect(text).toContain("rollout status deployment/coregit-operator deployment/coregit-api");
    expect(text).toContain("kind: RepoSync");
    expect(text).toContain("WARNING: postgresql.enabled runs a single database without backups");
    expect(text).toContain("NOTE: publicUrl is not set");
    expect(text).toContain("go-template='{{.data.masterKey|base64decode}}'");
  });
});
