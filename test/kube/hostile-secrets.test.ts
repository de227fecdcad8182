// Secrets as people make them: the wrong keys, bytes that are no text, a megabyte, and one that is replaced too late.
import { randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { KubeObject } from "../../src/kube/object.ts";
import { SECRET } from "../../src/operator/kinds.ts";
import { conditionOf, readyOf } from "../support/cluster.ts";
import { type OperatorHarness, startOperatorHarness } from "../support/operator-harness.ts";
import { createSourceRepository } from "../support/source-repository.ts";
import { serveSource } from "../support/test-remotes.ts";

let harness: OperatorHarness;

beforeAll(async () => {
  harness = await startOperatorHarness();
});

afterEach(async () => {
  expect(await harness.brokenInvariants()).toEqual([]);
});

afterAll(async () => {
  await harness[Symbol.asyncDispose]();
});

function createSecret(name: string, data: Readonly<Record<string, Buffer | string>>): Promise<KubeObject> {
  const encoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString("base64")]);
  return harness.cluster.api.create(SECRET, harness.namespace, { metadata: { name }, data: Object.fromEntries(encoded) });
}

const MEGABYTE = 1_000_000;

describe("a Secret", () => {
  test.each([
    { name: "empty", data: {}, says: "has no credential" },
    { name: "misspelled", data: { Token: "abc", passwd: "abc" }, says: "has no credential" },
    { name: "binary", data: { token: Buffer.from([0xff, 0xfe, 0x80, 0x41]) }, says: "is not UTF-8 text" },
    { name: "zeros", data: { token: Buffer.alloc(16) }, says: "another control character" },
    { name: "random", data: { username: "ann", password: randomBytes(4096) }, says: "The key password of the Secret" },
    { name: "huge", data: { token: "x".repeat(MEGABYTE) }, says: "longer than any credential" },
    { name: "huge-certificate", data: { token: "t", "ca.crt": "-".repeat(MEGABYTE) }, says: "no PEM certificate" },
    {
      name: "many-keys",
      data: Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`key-${i}`, "v"])),
      says: "no credential",
    },
  ])("that is $name stalls its Connection with what to change", async ({ name, data, says }) => {
    await createSecret(name, data);
    await harness.create("Connection", name, { provider: "git", secretRef: { name } });
    const object = await harness.untilReady("Connection", name, "False", "SecretInvalid");
    expect(readyOf(object).message).toContain(says);
    expect(conditionOf(object, "Stalled")?.status).toBe("True");
    expect(JSON.stringify(object.status).length).toBeLessThan(4096);
  });

  test("of one namespace is out of reach of another", async () => {
    const elsewhere = await harness.cluster.createNamespace();
    await harness.cluster.api.create(SECRET, elsewhere, { metadata: { name: "theirs" }, stringData: { token: "t" } });
    await harness.create("Connection", "nosy", { provider: "git", secretRef: { name: "theirs" } });
    await harness.untilReady("Connection", "nosy", "False", "SecretMissing");
    const path = `${elsewhere}/theirs`;
    await expect(harness.create("Connection", "nosier", { provider: "git", secretRef: { name: path } })).rejects.toMatchObject({
      status: 422,
    });
  });

  test("that was replaced is read at once when its old content is refused", async () => {
    await using source = await createSourceRepository();
    await source.commit({ "README.md": "Hello\n" });
    await using guarded = await serveSource(source, { basicAuth: { username: "ann", password: "second-password" } });
    await createSecret("stale", { username: "ann", password: "first-password" });
    await harness.create("Connection", "stale", { provider: "git", secretRef: { name: "stale" } });
    await harness.untilReady("Connection", "stale", "True", "Accepted");
    // The run has the first one by then. Nobody tells the operator of the second, and it looks by itself only once a minute.
    const second = { data: { password: Buffer.from("second-password").toString("base64") } };
    guarded.meanwhile = async () => {
      guarded.meanwhile = null;
      await harness.cluster.api.patch(SECRET, { namespace: harness.namespace, name: "stale" }, second);
    };
    await using _engine = await harness.world.startEngine();
    const spec = { remote: guarded.remoteUrl, connectionRef: { name: "stale" }, interval: "0s" };
    await harness.create("RepoSync", "stale", spec);
    const object = await harness.untilReady("RepoSync", "stale", "True", "Synced");
    const { rows } = await harness.world.database.query<{ code: string | null }>("SELECT code FROM runs ORDER BY started_at");
    expect(rows.map(({ code }) => code)).toEqual(["AuthenticationFailed", null]);
    expect(JSON.stringify(object)).not.toContain("second-password");
  });
});
