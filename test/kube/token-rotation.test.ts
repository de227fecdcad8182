// The pod's token: the kubelet replaces the file, and the old token ends.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { KubeApi } from "../../src/kube/kube-api.ts";
import { loadKubeConfig } from "../../src/kube/kube-config.ts";
import type { ResourceKind } from "../../src/kube/object.ts";
import { KubeTransport } from "../../src/kube/transport.ts";

const CONFIG_MAPS: ResourceKind = { group: "", version: "v1", plural: "configmaps", kind: "ConfigMap" };
/** The client library's: how long it believes what it read, as client-go does. */
const BELIEVED_MS = 60_000;

afterEach(() => {
  vi.useRealTimers();
});

test("a token that was replaced in its file is used within a minute, without a restart", async () => {
  await using stack = new AsyncDisposableStack();
  let valid = "first";
  const server = createServer(({ headers }, response) => {
    response.statusCode = headers.authorization === `Bearer ${valid}` ? 200 : 401;
    response.end('{"metadata":{"name":"a"}}');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  stack.defer(() => new Promise<void>((resolve) => server.close(() => resolve())));
  const address = server.address();
  const port = address !== null && typeof address === "object" ? address.port : 0;
  const folder = await mkdtemp(join(tmpdir(), "coregit-token-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const tokenFile = join(folder, "token");
  await writeFile(tokenFile, "first");
  const config = {
    "current-context": "pod",
    clusters: [{ name: "pod", cluster: { server: `http://127.0.0.1:${port}`, "insecure-skip-tls-verify": true } }],
    users: [{ name: "pod", user: { "auth-provider": { name: "tokenFile", config: { tokenFile } } } }],
    contexts: [{ name: "pod", context: { cluster: "pod", user: "pod" } }],
  };
  const path = join(folder, "kubeconfig");
  await writeFile(path, JSON.stringify(config));
  const transport = stack.use(new KubeTransport(loadKubeConfig({ path }), "test"));
  const api = new KubeApi(transport, "test");
  const ask = () => api.get(CONFIG_MAPS, { namespace: "team", name: "a" });
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
  expect(await ask()).not.toBeNull();
  await writeFile(tokenFile, "second");
  expect(await ask()).not.toBeNull();
  valid = "second";
  await expect(ask()).rejects.toMatchObject({ status: 401 });
  vi.advanceTimersByTime(BELIEVED_MS + 1);
  expect(await ask()).not.toBeNull();
});
