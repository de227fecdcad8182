// The CRDs on a real API server: every rule and every default, and that this program's own reader says the same.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { collectionPath, type KubeObject, objectPath, type ResourceKind } from "../../src/kube/object.ts";
import { structuralSchema } from "../../src/resources/crd.ts";
import { API_VERSION, GROUP, VERSION } from "../../src/resources/kind.ts";
import { KINDS, type KindName } from "../../src/resources/kinds.ts";
import { parseResource } from "../../src/resources/parse-resource.ts";
import { type Cluster, CRD_KIND, connectCluster } from "../support/cluster.ts";
import { IMMUTABLE_CASES, RESOURCE_CASES, type ResourceCase } from "./resource-cases.ts";

let cluster: Cluster;
let namespace: string;

beforeAll(async () => {
  cluster = await connectCluster();
  namespace = await cluster.createNamespace();
});

afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
});

const kindOf = (kind: KindName): ResourceKind => ({ group: GROUP, version: VERSION, plural: KINDS[kind].plural, kind });

function documentOf({ kind, objectName = "sample", spec }: Pick<ResourceCase, "kind" | "objectName" | "spec">) {
  return { apiVersion: API_VERSION, kind, metadata: { name: objectName, namespace }, spec };
}

/** What the server would store; nothing is. */
async function tryCreate(document: ReturnType<typeof documentOf>): Promise<KubeObject> {
  const path = collectionPath(kindOf(document.kind), namespace);
  const query = { dryRun: "All", fieldValidation: "Strict" };
  return (await cluster.transport.call({ method: "POST", path, query, body: document })) as KubeObject;
}

describe("custom resource definitions", () => {
  test.each(RESOURCE_CASES.filter(({ refused }) => refused === undefined))("accept $name", async (each) => {
    const document = documentOf(each);
    const stored = await tryCreate(document);
    const parsed = parseResource(document);
    if (!parsed.ok) throw new Error(`the reader refuses it: ${JSON.stringify(parsed.issues)}`);
    // The server's defaults are the reader's.
    expect(stored.spec).toEqual(parsed.resource.spec);
  });

  test.each(RESOURCE_CASES.filter(({ refused }) => refused !== undefined))("refuse $name", async (each) => {
    const document = documentOf(each);
    await expect(tryCreate(document)).rejects.toMatchObject({
      status: 422,
      message: expect.stringContaining(each.refused ?? ""),
    });
    expect(parseResource(document)).toMatchObject({ ok: false });
  });

  test.each(IMMUTABLE_CASES)("do not let $name be changed", async ({ kind, from, to, refused }) => {
    const name = `immutable-${kind.toLowerCase()}`;
    const document = documentOf({ kind, objectName: name, spec: from });
    const created = await cluster.api.create(kindOf(kind), namespace, document);
    await expect(cluster.api.replace(kindOf(kind), { ...created, spec: to })).rejects.toMatchObject({
      status: 422,
      message: expect.stringContaining(refused),
    });
    await cluster.transport.call({ method: "DELETE", path: objectPath(kindOf(kind), { namespace, name }) });
  });

  test("have no rule that no refused case above shows", async () => {
    const messages = [...RESOURCE_CASES, ...IMMUTABLE_CASES].flatMap(({ refused }) => refused ?? []);
    const unproven: string[] = [];
    for (const { plural } of Object.values(KINDS)) {
      const crd = await cluster.api.get(CRD_KIND, { namespace: "", name: `${plural}.${GROUP}` });
      const rules = ruleMessages(crd?.spec);
      expect(rules.length).toBeGreaterThan(0);
      unproven.push(...rules.filter((rule) => !messages.some((message) => rule.includes(message))));
    }
    expect(unproven).toEqual([]);
  });

  test("refuse a field that they do not know", async () => {
    const document = documentOf({ kind: "RepoSync", spec: { remote: "acme/site", directoin: "export" } });
    await expect(tryCreate(document)).rejects.toMatchObject({ status: 400, message: expect.stringContaining("directoin") });
  });

  test("keep status apart: who writes an object writes no status, and the other way round", async () => {
    const resource = kindOf("Repository");
    const document = { ...documentOf({ kind: "Repository", objectName: "apart", spec: {} }), status: { sizeBytes: 5 } };
    const created = await cluster.api.create(resource, namespace, document);
    expect(created.status).toEqual({ observedGeneration: -1 });
    const changed = { ...created, spec: { description: "x" }, status: { observedGeneration: 1 } };
    const body = { spec: { description: "y" }, status: { sizeBytes: 7 } };
    const path = `${objectPath(resource, { namespace, name: "apart" })}/status`;
    const contentType = "application/merge-patch+json";
    const shown = (await cluster.transport.call({ method: "PATCH", path, body, contentType })) as KubeObject;
    expect(shown).toMatchObject({ spec: created.spec, metadata: { generation: 1 }, status: { sizeBytes: 7 } });
    const { resourceVersion } = shown.metadata;
    const replaced = await cluster.api.replace(resource, { ...changed, metadata: { ...created.metadata, resourceVersion } });
    expect(replaced).toMatchObject({ spec: { description: "x" }, metadata: { generation: 2 }, status: shown.status });
  });

  test("are named by the conventions of Kubernetes", () => {
    for (const { spec, status } of Object.values(KINDS)) {
      const names = fieldNames([structuralSchema(spec), structuralSchema(status)]);
      expect(names.filter((name) => name === "phase" || !/^[a-z][A-Za-z0-9]*$/.test(name))).toEqual([]);
      const schema = structuralSchema(spec) as {
        readonly properties: Readonly<Record<string, { readonly properties?: object }>>;
      };
      const references = Object.entries(schema.properties).filter(
        ([, { properties }]) => Object.keys(properties ?? {}).join() === "name",
      );
      expect(references.filter(([name]) => !name.endsWith("Ref"))).toEqual([]);
    }
  });

  test("limit the length of every text and list", async () => {
    for (const { plural } of Object.values(KINDS)) {
      const crd = await cluster.api.get(CRD_KIND, { namespace: "", name: `${plural}.${GROUP}` });
      expect(unlimited(crd?.spec, "spec")).toEqual([]);
    }
  });
});

function fieldNames(node: unknown): string[] {
  if (typeof node !== "object" || node === null) return [];
  const own = "properties" in node ? Object.keys(node.properties as object) : [];
  return [...own, ...Object.values(node).flatMap(fieldNames)];
}

function ruleMessages(node: unknown): string[] {
  if (typeof node !== "object" || node === null) return [];
  const own = "x-kubernetes-validations" in node ? (node["x-kubernetes-validations"] as { readonly message: string }[]) : [];
  return [...own.map(({ message }) => message), ...Object.values(node).flatMap(ruleMessages)];
}

/** Places of strings and arrays without a limit; metadata and the two fixed words are the server's business. */
function unlimited(node: unknown, place: string): string[] {
  if (typeof node !== "object" || node === null) return [];
  const schema = node as {
    readonly type?: unknown;
    readonly maxLength?: number;
    readonly maxItems?: number;
    readonly enum?: unknown;
  };
  const isText = schema.type === "string" && "description" in node && place.includes("openAPIV3Schema.properties");
  const isServers = /properties\.(apiVersion|kind|metadata)/.test(place) || place.includes("additionalPrinterColumns");
  const isUnlimitedText = isText && schema.maxLength === undefined && schema.enum === undefined;
  const isUnlimitedList = schema.type === "array" && "items" in node && schema.maxItems === undefined;
  const own = !isServers && (isUnlimitedText || isUnlimitedList) ? [place] : [];
  return [...own, ...Object.entries(node).flatMap(([key, value]) => unlimited(value, `${place}.${key}`))];
}
