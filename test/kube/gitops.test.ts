// Under Argo CD and Flux: what their own code says of each state that a resource can be in, and that nothing drifts which somebody
// has applied.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SECRET } from "../../src/operator/kinds.ts";
import { GROUP, VERSION } from "../../src/resources/kind.ts";
import type { KindName } from "../../src/resources/kinds.ts";
import type { GitHttpServer } from "../support/git-http-server.ts";
import { judge } from "../support/gitops-judge.ts";
import { type OperatorHarness, startOperatorHarness } from "../support/operator-harness.ts";
import { createSourceRepository, type SourceRepository } from "../support/source-repository.ts";
import { serveSource } from "../support/test-remotes.ts";

/** The first run builds the judge. */
const BUILD_DEADLINE_MS = 600_000;

let harness: OperatorHarness;
let source: SourceRepository;
let server: GitHttpServer & { readonly remoteUrl: string };

beforeAll(async () => {
  source = await createSourceRepository();
  await source.commit({ "README.md": "Hello\n" });
  server = await serveSource(source);
  harness = await startOperatorHarness();
  await harness.world.startEngine();
});

afterAll(async () => {
  await harness[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await source[Symbol.asyncDispose]();
});

const quiet = () => ({ remote: server.remoteUrl, interval: "0s" });

/** As kubectl gives it. */
const whole = (kind: KindName, object: object | null) => ({ ...object, apiVersion: `${GROUP}/${VERSION}`, kind });

async function madeInState(kind: KindName, name: string, spec: object, state: readonly [string, string]) {
  await harness.create(kind, name, spec);
  return whole(kind, await harness.untilReady(kind, name, ...state));
}

async function everyState() {
  await harness.cluster.api.create(SECRET, harness.namespace, { metadata: { name: "empty" } });
  const working = await madeInState("RepoSync", "working", quiet(), ["True", "Synced"]);
  const states = {
    working,
    planned: await madeInState("RepoSync", "planned", { ...quiet(), mode: "Plan" }, ["True", "Planned"]),
    retrying: await madeInState("RepoSync", "retrying", { ...quiet(), remote: `${server.url}/nothing.git` }, [
      "False",
      "RemoteNotFound",
    ]),
    stuck: await madeInState("RepoSync", "stuck", { ...quiet(), connectionRef: { name: "no" } }, ["False", "ConnectionMissing"]),
    asleep: await madeInState("RepoSync", "asleep", { ...quiet(), suspend: true }, ["False", "Suspended"]),
    connection: await madeInState("Connection", "fine", { provider: "git" }, ["True", "Accepted"]),
    keyless: await madeInState("Connection", "keyless", { provider: "git", secretRef: { name: "empty" } }, [
      "False",
      "SecretInvalid",
    ]),
    repository: await madeInState("Repository", "kept", {}, ["True", "Stored"]),
  };
  await harness.stopOperator();
  await harness.create("RepoSync", "unseen", quiet());
  await harness.patch("RepoSync", "working", { spec: { remote: `${server.url}/nothing.git` } });
  await harness.delete("RepoSync", "stuck");
  const now = async (name: string) => whole("RepoSync", await harness.get("RepoSync", name));
  const later = { unseen: await now("unseen"), outdated: await now("working"), leaving: await now("stuck") };
  await harness.restart();
  return { ...states, ...later };
}

describe("the tools of GitOps", () => {
  test(
    "say of each state what it is: kstatus by its conditions, Argo CD by the health script of the example",
    async () => {
      const states = await everyState();
      const judged = await judge(Object.values(states));
      const said = Object.keys(states).map((name, index) => [name, judged[index]?.kstatus, judged[index]?.argo.status]);
      expect(said).toEqual([
        ["working", "Current", "Healthy"],
        ["planned", "Current", "Healthy"],
        ["retrying", "InProgress", "Degraded"],
        ["stuck", "Failed", "Degraded"],
        ["asleep", "InProgress", "Suspended"],
        ["connection", "Current", "Healthy"],
        ["keyless", "Failed", "Degraded"],
        ["repository", "Current", "Healthy"],
        ["unseen", "InProgress", "Progressing"],
        ["outdated", "InProgress", "Progressing"],
        ["leaving", "Terminating", "Progressing"],
      ]);
      expect(judged[3]?.argo.message).toMatch(/^ConnectionMissing: There is no Connection no in the namespace /);
    },
    BUILD_DEADLINE_MS,
  );

  test("find nothing to put right in what somebody applied, once the operator has worked on it", async () => {
    const folder = await mkdtemp(join(tmpdir(), "coregit-gitops-"));
    try {
      const manifest = join(folder, "sync.json");
      const metadata = { name: "applied", namespace: harness.namespace, labels: { "argocd.argoproj.io/instance": "site" } };
      await writeFile(manifest, JSON.stringify(whole("RepoSync", { metadata, spec: quiet() })));
      const apply = ["apply", "--server-side", "--field-manager=argocd-controller", "--filename", manifest];
      await harness.cluster.kubectl(...apply);
      await harness.untilReady("RepoSync", "applied", "True", "Synced");
      const live = await harness.get("RepoSync", "applied");
      const again = JSON.parse(await harness.cluster.kubectl(...apply, "--dry-run=server", "--output=json"));
      expect(again.spec).toEqual(live?.spec);
      expect(again.status).toEqual(live?.status);
      const { resourceVersion, generation, finalizers, labels } = live?.metadata ?? {};
      expect(again.metadata).toMatchObject({ resourceVersion, generation, finalizers, labels });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  test("share no field with the operator: it writes its finalizer and the status, and nothing of the spec", async () => {
    await harness.create("RepoSync", "owned", quiet());
    await harness.untilReady("RepoSync", "owned", "True", "Synced");
    const shown = await harness.cluster.kubectl(
      ...["get", "reposync/owned", "--namespace", harness.namespace, "--show-managed-fields", "--output", "json"],
    );
    const { managedFields } = JSON.parse(shown).metadata as {
      readonly managedFields: readonly { readonly subresource?: string; readonly fieldsV1: Record<string, object> }[];
    };
    const [spec, ...others] = managedFields.toSorted((a, b) => Number("f:spec" in b.fieldsV1) - Number("f:spec" in a.fieldsV1));
    expect(Object.keys(spec?.fieldsV1 ?? {})).toContain("f:spec");
    expect(others.filter(({ fieldsV1 }) => "f:spec" in fieldsV1)).toEqual([]);
    const written = others.map(({ fieldsV1 }) => Object.keys(fieldsV1).join());
    expect(written.toSorted()).toEqual(["f:metadata", "f:status"]);
  });
});
