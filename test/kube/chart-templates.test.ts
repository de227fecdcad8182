// What the chart renders, as the state of objects: names that others rely on, rights, keys, and what holds in every shape.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { KINDS } from "../../src/resources/kinds.ts";
import { isSubset, type PodTemplate, podSelectorOf, podTemplates } from "../support/chart-pods.ts";
import { CHART, type ChartObject, HELM_DEADLINE_MS, type Helm, openHelm, SHAPES, type Shape } from "../support/helm.ts";

const KEEP = "helm.sh/resource-policy";
const INLINE = [
  "databaseUrl=postgres://ann:hidden@db/coregit",
  "encryptionKey=c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0MTI=",
  "masterKey=cgk_live_0123456789abcdefhidden",
];

let helm: Helm;
const rendered = new Map<Shape, readonly ChartObject[]>();

beforeAll(async () => {
  helm = await openHelm();
  for (const shape of SHAPES) rendered.set(shape, await helm.render(shape));
}, HELM_DEADLINE_MS);

const objectsOf = (shape: Shape): readonly ChartObject[] => rendered.get(shape) ?? [];
const find = (objects: readonly ChartObject[], kind: string, name: string): ChartObject => {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  if (found === undefined) throw new Error(`there is no ${kind} ${name}`);
  return found;
};
const named = (objects: readonly ChartObject[], kind: string): string[] =>
  objects.filter((object) => object.kind === kind).map(({ metadata }) => metadata.name);
const podOf = (objects: readonly ChartObject[], name: string): PodTemplate => {
  const found = podTemplates(objects).find((template) => template.owner.endsWith(` ${name}`));
  if (found === undefined) throw new Error(`there are no pods of ${name}`);
  return found;
};

describe.each(SHAPES)("with %s values", (shape) => {
  test("every object says whose it is", () => {
    for (const { metadata, kind } of objectsOf(shape)) {
      const labels = metadata.labels ?? {};
      expect(labels, `${kind} ${metadata.name}`).toMatchObject({
        "app.kubernetes.io/name": "coregit",
        "app.kubernetes.io/instance": "coregit",
        "app.kubernetes.io/version": "0.1.0",
        "app.kubernetes.io/managed-by": "Helm",
      });
      expect(["operator", "api", "migrate", "postgresql"]).toContain(labels["app.kubernetes.io/component"]);
    }
  });

  test("no two objects have one name", () => {
    const names = objectsOf(shape).map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ""}/${metadata.name}`);
    expect(names).toEqual([...new Set(names)]);
  });

  test("no rule has a wildcard, and the operator only gets Secrets", () => {
    for (const object of objectsOf(shape).filter(({ kind }) => /^(Cluster)?Role$/.test(kind))) {
      const rules = object.rules as readonly { readonly resources: readonly string[]; readonly verbs: readonly string[] }[];
      expect(JSON.stringify(rules)).not.toContain("*");
      if (object.metadata.labels?.["app.kubernetes.io/component"] !== "operator") continue;
      for (const { verbs } of rules.filter(({ resources }) => resources.includes("secrets"))) expect(verbs).toEqual(["get"]);
    }
  });

  test("only pods that speak to the API server get a token", () => {
    const withToken = podTemplates(objectsOf(shape)).filter(({ spec }) => spec.automountServiceAccountToken !== false);
    const allowed = ["Deployment coregit-operator", "Job coregit-make-keys", "Job coregit-uninstall"];
    expect(withToken.map(({ owner }) => owner).filter((owner) => !allowed.includes(owner))).toEqual([]);
    expect(podOf(objectsOf(shape), "coregit-api").spec).toMatchObject({
      automountServiceAccountToken: false,
      serviceAccountName: "coregit-api",
    });
  });

  test("what selects pods finds some", () => {
    const pods = podTemplates(objectsOf(shape));
    const lost = objectsOf(shape).filter((object) => {
      const wanted = podSelectorOf(object);
      return wanted !== null && !pods.some(({ labels }) => isSubset(wanted, labels));
    });
    expect(lost.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([]);
  });

  test("each monitor finds one Service", () => {
    const services = objectsOf(shape).filter(({ kind }) => kind === "Service");
    for (const { metadata, spec } of objectsOf(shape).filter(({ kind }) => kind === "ServiceMonitor")) {
      const { matchLabels } = (spec as { readonly selector: { readonly matchLabels: object } }).selector;
      expect(
        services.filter(({ metadata: { labels } }) => isSubset(matchLabels, labels ?? {})),
        metadata.name,
      ).toHaveLength(1);
    }
  });

  test("containers write to volumes only, each of a limited size", () => {
    for (const { owner, spec } of podTemplates(objectsOf(shape))) {
      const empty = spec.volumes.filter(({ emptyDir }) => emptyDir !== undefined);
      expect(
        empty.filter(({ emptyDir }) => emptyDir?.sizeLimit === undefined),
        owner,
      ).toEqual([]);
      expect(spec.containers.map(({ securityContext }) => securityContext.readOnlyRootFilesystem)).toEqual([true]);
    }
  });
});

describe("names that others rely on", () => {
  test("are these, whatever the release is called", async () => {
    const objects = objectsOf("default");
    expect(named(objects, "Service")).toEqual(expect.arrayContaining(["coregit-api", "coregit-operator"]));
    expect(find(objects, "Service", "coregit-api").spec).toMatchObject({ ports: [{ port: 80, targetPort: "http" }] });
    const roles = ["coregit-operator", "coregit-api"].map((name) => podOf(objects, name).spec.containers[0]);
    expect(roles.map((container) => [container?.command, container?.args])).toEqual([
      [undefined, ["operator"]],
      [undefined, ["api"]],
    ]);
    expect(roles.map((container) => [container?.livenessProbe?.httpGet.path, container?.readinessProbe?.httpGet.path])).toEqual([
      ["/livez", "/readyz"],
      ["/livez", "/readyz"],
    ]);
    expect(podOf(objects, "coregit-migrate").spec.containers[0]?.args).toEqual(["migrate"]);
  });

  test("the API's metrics have a port and a Service of their own, which its monitor finds, and traces a collector", async () => {
    const objects = objectsOf("everything");
    expect(find(objects, "Service", "coregit-api").spec).toMatchObject({ ports: [{ targetPort: "http" }] });
    expect(find(objects, "Service", "coregit-api-metrics").spec).toMatchObject({
      ports: [{ port: 8081, targetPort: "metrics" }],
    });
    expect(find(objects, "ServiceMonitor", "coregit-api").spec).toMatchObject({
      selector: { matchLabels: { "coregit.dev/serves": "metrics" } },
      endpoints: [{ port: "metrics", relabelings: [{ targetLabel: "job", replacement: "coregit-api" }] }],
    });
    const env = podOf(objects, "coregit-api").spec.containers[0]?.env ?? [];
    expect(env).toEqual(
      expect.arrayContaining([
        { name: "COREGIT_METRICS_LISTEN", value: "0.0.0.0:8081" },
        { name: "OTEL_EXPORTER_OTLP_ENDPOINT", value: "http://collector.monitoring:4318" },
        { name: "OTEL_TRACES_SAMPLER_ARG", value: "0.1" },
        { name: "OTEL_EXPORTER_OTLP_HEADERS", valueFrom: { secretKeyRef: { name: "collector", key: "headers" } } },
      ]),
    );
    const policy = JSON.stringify(find(objects, "NetworkPolicy", "coregit-api").spec);
    for (const port of ['"port":"metrics"', '"port":4318']) expect(policy).toContain(port);
    const silent = podOf(objectsOf("default"), "coregit-operator").spec.containers[0]?.env ?? [];
    expect(silent.filter(({ name }) => name.startsWith("OTEL_"))).toEqual([]);
  });

  test("the image is that of the appVersion, of a tag, or of a digest", async () => {
    const image = async (...sets: string[]) =>
      podOf(await helm.render("minimal", ...sets), "coregit-api").spec.containers[0]?.image;
    expect(await image()).toBe("coregit:0.1.0");
    expect(await image("image.tag=edge", "image.repository=git/coregit")).toBe("git/coregit:edge");
    const digest = `sha256:${"a".repeat(64)}`;
    expect(await image(`image.digest=${digest}`)).toBe(`coregit@${digest}`);
  });
});

describe("keys", () => {
  test("of an existing Secret are the only ones, and no job makes any", async () => {
    const objects = objectsOf("minimal");
    expect(named(objects, "Secret")).toEqual([]);
    expect(named(objects, "Job")).toEqual(expect.not.arrayContaining(["coregit-make-keys"]));
    const text = JSON.stringify(podTemplates(objects));
    const secrets = new Set([...text.matchAll(/"secretKeyRef":\{"name":"([^"]+)"/g)].map((match) => match[1]));
    expect([...secrets]).toEqual(["coregit-keys"]);
  });

  test("in the values are rendered into Secrets only", async () => {
    const objects = await helm.render("default", ...INLINE);
    const elsewhere = JSON.stringify(objects.filter(({ kind }) => kind !== "Secret"));
    expect(elsewhere).not.toMatch(/hidden|c2VjcmV0/);
    const secret = find(objects, "Secret", "coregit");
    expect(secret.metadata.annotations?.[KEEP]).toBe("keep");
    expect(Object.keys(secret.data ?? {}).sort()).toEqual(["databaseUrl", "encryptionKey", "masterKey"]);
    expect(named(objects, "Job")).not.toContain("coregit-make-keys");
  });

  test("that are missing are made by a job before anything reads them, from those that are given", async () => {
    const objects = await helm.render("default", ...INLINE.slice(0, 1));
    const weight = (name: string) => Number(find(objects, "Job", name).metadata.annotations?.["helm.sh/hook-weight"]);
    expect(weight("coregit-make-keys")).toBeLessThan(weight("coregit-migrate"));
    expect(podOf(objects, "coregit-make-keys").spec.containers[0]?.env?.map(({ name }) => name)).toEqual([
      "COREGIT_DATABASE_URL",
    ]);
    expect(named(objects, "Secret")).toEqual(["coregit-make-keys"]);
  });

  test("that open everything reach the API and not the operator", () => {
    const text = (name: string) => JSON.stringify(podOf(objectsOf("default"), name).spec.containers);
    expect(text("coregit-api")).toContain("masterKey");
    expect(text("coregit-operator")).not.toContain("masterKey");
    expect(text("coregit-migrate")).not.toContain("encryptionKey");
  });
});

describe("migrations", () => {
  test("run before everything else, as a hook", () => {
    const { annotations } = find(objectsOf("ha"), "Job", "coregit-migrate").metadata;
    expect(annotations).toMatchObject({
      "helm.sh/hook": "pre-install,pre-upgrade",
      "helm.sh/hook-delete-policy": "before-hook-creation,hook-succeeded",
    });
  });

  test("of the evaluation database are no hook, and the job's name follows what it runs", async () => {
    const migration = async (...sets: string[]) =>
      (await helm.render("default", "postgresql.enabled=true", ...sets)).find(({ metadata }) =>
        metadata.name.startsWith("coregit-migrate"),
      );
    const first = await migration();
    expect(first?.metadata.annotations).toBeUndefined();
    expect((await migration())?.metadata.name).toBe(first?.metadata.name);
    expect((await migration("image.tag=next"))?.metadata.name).not.toBe(first?.metadata.name);
  });
});

describe("custom resources", () => {
  test.each(Object.values(KINDS))("$kind is the same as in crds/, and stays unless told otherwise", async ({ plural }) => {
    const file = parse(await readFile(join(CHART, `../../crds/coregit.dev_${plural}.yaml`), "utf8")) as ChartObject;
    const crd = find(objectsOf("default"), "CustomResourceDefinition", `${plural}.coregit.dev`);
    expect(crd.spec).toEqual(file.spec);
    expect(crd.metadata.annotations?.[KEEP]).toBe("keep");
    const unkept = find(objectsOf("minimal"), "CustomResourceDefinition", `${plural}.coregit.dev`);
    expect(unkept.metadata.annotations).toBeUndefined();
  });

  test("that outlive the release are let go after it; those that do not are deleted before it", () => {
    const hook = (shape: Shape) => {
      const { metadata } = find(objectsOf(shape), "Job", "coregit-uninstall");
      return [metadata.annotations?.["helm.sh/hook"], podOf(objectsOf(shape), "coregit-uninstall").spec.containers[0]?.args];
    };
    expect(hook("default")).toEqual(["post-delete", ["uninstall"]]);
    expect(hook("minimal")).toEqual(["pre-delete", ["uninstall", "--delete-resources"]]);
  });
});

const CLUSTER_SCOPED = /^(ClusterRole|ClusterRoleBinding|CustomResourceDefinition|PersistentVolume|Namespace|PriorityClass)$/;

describe("an installation for some namespaces", () => {
  const SETS = ["operator.namespaces={team-a,team-b}", "crds.enabled=false"];

  test("has no object outside of namespaces", async () => {
    const objects = await helm.render("default", ...SETS);
    expect(objects.filter(({ kind }) => CLUSTER_SCOPED.test(kind))).toEqual([]);
    expect(objects.filter(({ metadata }) => metadata.namespace === undefined)).toEqual([]);
    const roles = objects.filter(({ kind, metadata }) => kind === "Role" && metadata.name.endsWith("-operator"));
    expect(roles.map(({ metadata }) => metadata.namespace)).toEqual(["team-a", "team-b"]);
  });

  test("grants there what it grants elsewhere in the whole cluster", async () => {
    const inNamespaces = find(await helm.render("default", ...SETS), "Role", "coregit-coregit-operator");
    expect(inNamespaces.rules).toEqual(find(objectsOf("default"), "ClusterRole", "coregit-coregit-operator").rules);
  });

  test("tells the operator so", async () => {
    const { args } = podOf(await helm.render("default", ...SETS), "coregit-operator").spec.containers[0] ?? {};
    expect(args).toEqual(["operator", "--namespace", "team-a", "--namespace", "team-b"]);
  });
});

describe("switches", () => {
  test("are all off by default", () => {
    const kinds = new Set(objectsOf("default").map(({ kind }) => kind));
    const off = ["HorizontalPodAutoscaler", "PodDisruptionBudget", "NetworkPolicy", "Ingress", "HTTPRoute", "StatefulSet"];
    expect([...off, "ServiceMonitor", "PrometheusRule", "ConfigMap"].filter((kind) => kinds.has(kind))).toEqual([]);
  });

  test("are all on in everything", () => {
    const kinds = new Set(objectsOf("everything").map(({ kind }) => kind));
    const on = ["HorizontalPodAutoscaler", "PodDisruptionBudget", "NetworkPolicy", "Ingress", "HTTPRoute", "StatefulSet"];
    expect(
      [...on, "ServiceMonitor", "PrometheusRule", "ConfigMap", "PersistentVolumeClaim"].filter((kind) => !kinds.has(kind)),
    ).toEqual([]);
  });

  test("common labels are on every object and pod, common annotations on every object of the namespace", () => {
    const objects = objectsOf("everything");
    const owner = { "example.com/owner": "platform" };
    const contact = { "example.com/contact": "platform" };
    const own = objects.filter(({ metadata }) => metadata.namespace === "coregit");
    const nameOf = ({ kind, metadata }: ChartObject): string => `${kind} ${metadata.name}`;
    expect(objects.filter(({ metadata }) => !isSubset(owner, metadata.labels ?? {})).map(nameOf)).toEqual([]);
    expect(podTemplates(objects).flatMap((pod) => (isSubset(owner, pod.labels) ? [] : [pod.owner]))).toEqual([]);
    expect(own.filter(({ metadata }) => !isSubset(contact, metadata.annotations ?? {})).map(nameOf)).toEqual([]);
    expect(own.length).toBeGreaterThan(20);
  });

  test("authorities of one's own reach whatever speaks to the database", () => {
    const speaking = podTemplates(objectsOf("everything")).filter(({ spec }) =>
      spec.containers.some(({ env = [] }) => env.some(({ name }) => name === "COREGIT_DATABASE_URL")),
    );
    expect(speaking).toHaveLength(3);
    for (const { owner, spec } of speaking) {
      const container = expect.objectContaining({
        env: expect.arrayContaining([{ name: "NODE_EXTRA_CA_CERTS", value: "/ca/ca.crt" }]),
        volumeMounts: expect.arrayContaining([{ name: "ca", mountPath: "/ca", readOnly: true }]),
      });
      expect(spec.containers, owner).toEqual([container]);
      expect(spec.volumes, owner).toContainEqual({ name: "ca", configMap: { name: "ca" } });
    }
  });

  test("an autoscaler alone decides the number of its pods", () => {
    const replicas = (shape: Shape) =>
      (find(objectsOf(shape), "Deployment", "coregit-api").spec as { replicas?: number }).replicas;
    expect(replicas("ha")).toBeUndefined();
    expect(replicas("minimal")).toBe(1);
  });

  test("options of Node are the chart's until there are one's own, and stand there once", async () => {
    const options = async (...sets: string[]) => {
      const { env = [] } = podOf(await helm.render("minimal", ...sets), "coregit-operator").spec.containers[0] ?? {};
      return env.filter(({ name }) => name === "NODE_OPTIONS").map(({ value }) => value);
    };
    expect(await options()).toEqual(["--max-semi-space-size=8"]);
    const own = ["operator.extraEnv[0].name=NODE_OPTIONS", "operator.extraEnv[0].value=--trace-warnings"];
    expect(await options(...own)).toEqual(["--trace-warnings"]);
  });

  test("rights left to somebody else are not rendered", async () => {
    const kinds = (await helm.render("minimal", "rbac.enabled=false")).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind.includes("Role"))).toEqual([]);
  });
});
