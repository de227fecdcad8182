// A cluster whose CRDs are older than the operator: what both know works, what the cluster does not know is left out, what it
// refuses is said. On a control plane of its own, as CRDs are of the whole cluster.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type AnyDefinition, customResourceDefinition, type JsonSchema } from "../../src/resources/crd.ts";
import { KINDS } from "../../src/resources/kinds.ts";
import { startControlPlane } from "../support/control-plane.ts";
import { type OperatorHarness, startOperatorHarness } from "../support/operator-harness.ts";
import { createRecordedLogger, type RecordedLogger } from "../support/recorded-logger.ts";
import { until } from "../support/until.ts";

let owned = new AsyncDisposableStack();
let harness: OperatorHarness;
let logger: RecordedLogger;

beforeAll(async () => {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "coregit-old-crds-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  await writeOldCrds(join(folder, "crds"));
  const { kubeconfig, kubectl } = stack.use(await startControlPlane(() => undefined));
  logger = createRecordedLogger();
  const address = { kubeconfig, kubectl, crds: join(folder, "crds") };
  harness = stack.use(await startOperatorHarness({ address, logger, publicUrl: "https://git.example.com" }));
  owned = stack.move();
}, 120_000);

afterAll(async () => {
  await owned.disposeAsync();
});

/** A release in which RepoSync lacked fields of spec and status, and Repository a long address. */
async function writeOldCrds(folder: string): Promise<void> {
  const older: Readonly<Record<string, (schema: JsonSchema) => void>> = {
    RepoSync(schema) {
      for (const field of ["transport", "maxDeletions"]) remove(schema, "spec", field);
      for (const field of ["syncId", "lastHandledReconcileAt", "repository"]) remove(schema, "status", field);
    },
    Repository: (schema) => Object.assign(propertiesOf(schema, "status").gitUrl as object, { maxLength: 10 }),
  };
  await mkdir(folder);
  for (const definition of Object.values(KINDS) as AnyDefinition[]) {
    const crd = structuredClone(customResourceDefinition(definition)) as CrdObject;
    older[definition.kind]?.(crd.spec.versions[0].schema.openAPIV3Schema);
    await writeFile(join(folder, `${definition.plural}.json`), JSON.stringify(crd));
  }
}

type CrdObject = JsonSchema & {
  readonly spec: { readonly versions: readonly [{ readonly schema: { readonly openAPIV3Schema: JsonSchema } }] };
};

function propertiesOf(schema: JsonSchema, part: "spec" | "status"): Record<string, unknown> {
  const { properties } = schema as { readonly properties: Record<string, { readonly properties: Record<string, unknown> }> };
  return properties[part]?.properties ?? {};
}

/** Rules about the field did not exist either. */
function remove(schema: JsonSchema, part: "spec" | "status", field: string): void {
  delete propertiesOf(schema, part)[field];
  const rules = (schema["x-kubernetes-validations"] ?? []) as readonly { readonly rule: string }[];
  Object.assign(schema, { "x-kubernetes-validations": rules.filter(({ rule }) => !rule.includes(`.${part}.${field}`)) });
}

test("a RepoSync works without the fields that the cluster does not know, and is not written again and again for them", async () => {
  await harness.create("RepoSync", "aged", { remote: "https://git.example.com/a/b.git", suspend: true, transport: "git" });
  const before = await harness.untilReady("RepoSync", "aged", "False", "Suspended");
  expect(before.spec).not.toHaveProperty("transport");
  expect(before.status).not.toHaveProperty("syncId");
  await harness.restart();
  await until("it was looked at again", () => harness.reconciles >= 1);
  expect((await harness.get("RepoSync", "aged"))?.metadata.resourceVersion).toBe(before.metadata.resourceVersion);
  await harness.delete("RepoSync", "aged");
  await harness.untilGone("RepoSync", "aged");
});

test("a status that the cluster refuses is told once, with what to do, and the object can be deleted", async () => {
  await harness.create("Repository", "long-address", {});
  const told = () =>
    logger.lines.filter(({ fields }) => String(fields.error).includes("The CRDs of the cluster do not take this status"));
  await until("it has failed twice", () => told().length >= 2);
  expect(told().filter(({ level }) => level === "warn").length).toBe(1);
  await harness.delete("Repository", "long-address");
  await harness.untilGone("Repository", "long-address");
});
