// The client on a real API server: connections, deadlines, errors, pages, Events.
import { createServer } from "node:http";
import { createSecureServer } from "node:http2";
import type { Server } from "node:net";
import { HttpMethod, RequestContext } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../src/domain/clock.ts";
import { EVENTS, EventRecorder } from "../../src/kube/event-recorder.ts";
import { KubeApi } from "../../src/kube/kube-api.ts";
import { shareConnections } from "../../src/kube/kube-config.ts";
import type { KubeObject, ResourceKind } from "../../src/kube/object.ts";
import { KubeTransport } from "../../src/kube/transport.ts";
import { createTestCertificate } from "../support/certificates.ts";
import { type Cluster, connectCluster } from "../support/cluster.ts";
import { ManualTime } from "../support/manual-time.ts";
import { startScriptedApiServer } from "../support/scripted-api-server.ts";
import { silentLogger } from "../support/silent-logger.ts";
import { until } from "../support/until.ts";

const CONFIG_MAPS: ResourceKind = { group: "", version: "v1", plural: "configmaps", kind: "ConfigMap" };

let cluster: Cluster;
let namespace: string;

beforeAll(async () => {
  cluster = await connectCluster();
  namespace = await cluster.createNamespace();
});

afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
});

const named = (name: string) => ({ namespace, name });

describe("the client", () => {
  test("tells what is not there from what is refused", async () => {
    expect(await cluster.api.get(CONFIG_MAPS, named("nothing"))).toBeNull();
    await cluster.api.create(CONFIG_MAPS, namespace, { metadata: { name: "twice" } });
    const again = cluster.api.create(CONFIG_MAPS, namespace, { metadata: { name: "twice" } });
    await expect(again).rejects.toMatchObject({ name: "KubeApiError", status: 409, reason: "AlreadyExists" });
  });

  test("refuses to write over what it has not seen", async () => {
    const stale = await cluster.api.create(CONFIG_MAPS, namespace, { metadata: { name: "moving" } });
    await cluster.api.patch(CONFIG_MAPS, named("moving"), { data: { a: "1" } });
    await expect(cluster.api.patchMetadata(CONFIG_MAPS, stale, { finalizers: ["a/b"] })).rejects.toMatchObject({
      status: 409,
      reason: "Conflict",
    });
    await expect(cluster.api.replace(CONFIG_MAPS, stale)).rejects.toMatchObject({ status: 409 });
  });

  test("lists more than one page", async () => {
    const names = Array.from({ length: 520 }, (_, index) => `page-${index}`);
    for (let start = 0; start < names.length; start += 40) {
      await Promise.all(
        names.slice(start, start + 40).map((name) => cluster.api.create(CONFIG_MAPS, namespace, { metadata: { name } })),
      );
    }
    const pages: number[] = [];
    const seen = new Set<string>();
    await cluster.api.list(CONFIG_MAPS, namespace, (items) => {
      pages.push(items.length);
      for (const { metadata } of items) seen.add(metadata.name);
    });
    expect(pages[0]).toBe(500);
    expect(names.every((name) => seen.has(name))).toBe(true);
  });

  test("gives a call up when its time is over", async () => {
    await using server = await startScriptedApiServer();
    server.script = () => () => undefined;
    await using transport = new KubeTransport(server.config, "test");
    const api = new KubeApi(transport, "test");
    await expect(api.get(CONFIG_MAPS, named("slow"), { timeoutMs: 50 })).rejects.toMatchObject({
      status: null,
      reason: "DeadlineExceeded",
    });
  });

  test("gives up what is in progress when it is disposed, calls and watches, before and in the middle of an answer", async () => {
    await using server = await startScriptedApiServer();
    server.script = ({ isWatch }) => (isWatch ? (response) => void response.write("{") : () => undefined);
    const transport = new KubeTransport(server.config, "test");
    const call = transport.call({ method: "GET", path: "/silent" });
    const cutCall = transport.call({ method: "GET", path: "/cut", query: { watch: "true" } });
    const watch = await transport.stream(
      { method: "GET", path: "/watch", query: { watch: "true" } },
      AbortSignal.timeout(20_000),
    );
    const reader = watch.getReader();
    await reader.read();
    const ended = expect(reader.read()).rejects.toThrow();
    const aborted = [call, cutCall].map((answer) => expect(answer).rejects.toMatchObject({ reason: "Aborted" }));
    await until("three requests are in progress", () => server.requests.length === 3);
    await transport[Symbol.asyncDispose]();
    await Promise.all([...aborted, ended]);
  });

  test("uses few connections for many calls", async () => {
    let connections = 0;
    const server = createServer((_, response) => void response.end('{"metadata":{}}'));
    server.on("connection", () => {
      connections += 1;
    });
    const port = await listen(server);
    const config = cluster.newConfig();
    config.loadFromClusterAndUser({ name: "local", server: `http://127.0.0.1:${port}`, skipTLSVerify: true }, { name: "nobody" });
    {
      await using transport = new KubeTransport(config, "test");
      const api = new KubeApi(transport, "test");
      for (let round = 0; round < 100; round += 1) {
        await Promise.all(Array.from({ length: 10 }, (_, index) => api.get(CONFIG_MAPS, named(`${round}-${index}`))));
      }
    }
    await new Promise<void>((resolve) => server.close(() => resolve()));
    // A thousand calls, ten at a time; some reconnect when the other end has just closed an idle connection.
    expect(connections).toBeLessThanOrEqual(40);
  });

  test("speaks HTTP/1.1 to a server that would rather take HTTP/2", async () => {
    const { caPem, cert, key } = createTestCertificate(["IP:127.0.0.1"]);
    const spoken: string[] = [];
    const server = createSecureServer({ cert, key, allowHTTP1: true }, ({ httpVersion }, response) => {
      spoken.push(httpVersion);
      response.end('{"metadata":{}}');
    });
    const port = await listen(server);
    const config = cluster.newConfig();
    const caData = Buffer.from(caPem).toString("base64");
    config.loadFromClusterAndUser(
      { name: "local", server: `https://127.0.0.1:${port}`, caData, skipTLSVerify: false },
      { name: "nobody" },
    );
    {
      await using transport = new KubeTransport(config, "test");
      await new KubeApi(transport, "test").get(CONFIG_MAPS, named("any"));
    }
    await new Promise<void>((resolve) => server.close(() => resolve()));
    expect(spoken).toEqual(["1.1"]);
  });

  test("makes a new connection pool when the certificates change, and only then", async () => {
    const config = cluster.newConfig();
    await using _shared = shareConnections(config);
    const dispatcher = async () => {
      const context = new RequestContext("https://localhost/", HttpMethod.GET);
      await config.applySecurityAuthentication(context);
      return context.getDispatcher();
    };
    const first = await dispatcher();
    expect(await dispatcher()).toBe(first);
    const current = config.getCurrentCluster();
    if (current === null) throw new Error("no cluster");
    config.clusters = [{ ...current, caData: Buffer.from("another CA").toString("base64") }];
    const second = await dispatcher();
    expect(second).not.toBe(first);
    expect(await dispatcher()).toBe(second);
  });
});

describe("events", () => {
  test("are made once and counted when they repeat", async () => {
    const object = await cluster.api.create(CONFIG_MAPS, namespace, { metadata: { name: "eventful" } });
    const time = new ManualTime();
    const clock = { now: systemClock.now, monotonic: () => time.monotonic() };
    const options = { api: cluster.api, clock, logger: silentLogger, controller: "example.com/test", instance: "one" };
    const note = { type: "Warning", reason: "Broken", action: "Test", message: "It broke." } as const;
    await using recorder = new EventRecorder(options);
    recorder.record(CONFIG_MAPS, object, note);
    await recorder.settled();
    for (let i = 0; i < 20; i += 1) recorder.record(CONFIG_MAPS, object, note);
    await recorder.settled();
    expect(await eventsOf(object)).toMatchObject([{ reason: "Broken", note: "It broke.", series: { count: 2 } }]);
    time.advance(60_000);
    recorder.record(CONFIG_MAPS, object, note);
    await recorder.settled();
    expect(await eventsOf(object)).toMatchObject([{ series: { count: 22 } }]);
    time.advance(600_000);
    recorder.record(CONFIG_MAPS, object, note);
    recorder.record(CONFIG_MAPS, object, { ...note, message: "It broke otherwise." });
    await recorder.settled();
    expect((await eventsOf(object)).length).toBe(3);
  });
});

test("an Event holds as much of a long message as the API takes, in whole characters", async () => {
  const object = await cluster.api.create(CONFIG_MAPS, namespace, { metadata: { name: "talkative" } });
  const options = { api: cluster.api, clock: systemClock, logger: silentLogger, controller: "example.com/test", instance: "one" };
  await using recorder = new EventRecorder(options);
  recorder.record(CONFIG_MAPS, object, { type: "Warning", reason: "Broken", action: "Test", message: `a${"💣".repeat(500)}` });
  await recorder.settled();
  expect(await eventsOf(object)).toMatchObject([{ note: `a${"💣".repeat(255)}` }]);
});

async function eventsOf(object: KubeObject): Promise<KubeObject[]> {
  const found: KubeObject[] = [];
  await cluster.api.list(EVENTS, namespace, (items) => found.push(...items));
  return found.filter((event) => (event as unknown as { regarding: { uid: string } }).regarding.uid === object.metadata.uid);
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}
