// A reflector against servers that misbehave: whatever they do, the store ends up equal to what they have.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../src/domain/clock.ts";
import { type Heartbeat, ProgressBoard, unwatched } from "../../src/domain/progress.ts";
import { KubeApi } from "../../src/kube/kube-api.ts";
import type { ResourceKind } from "../../src/kube/object.ts";
import { ObjectStore } from "../../src/kube/object-store.ts";
import { Reflector, type ReflectorTiming } from "../../src/kube/reflector.ts";
import { noRuntimeMetrics } from "../../src/kube/runtime-metrics.ts";
import { systemTimers } from "../../src/kube/timers.ts";
import { KubeTransport } from "../../src/kube/transport.ts";
import {
  type Answer,
  end,
  eventLine,
  listOf,
  refuse,
  reset,
  type ScriptedApiServer,
  startScriptedApiServer,
  watchWith,
} from "../support/scripted-api-server.ts";
import { silentLogger } from "../support/silent-logger.ts";
import { until } from "../support/until.ts";

const THINGS: ResourceKind = { group: "example.com", version: "v1", plural: "things", kind: "Thing" };

/** The same proportions as in production, a thousand times faster. */
const FAST: Partial<ReflectorTiming> = { backoffFirstMs: 2, backoffLongestMs: 30, silenceMs: 150, watchMinimumMs: 20 };

let server: ScriptedApiServer;
let transport: KubeTransport;
let store: ObjectStore;
let running: Reflector | null;
let failures: string[];
let missed: number;

beforeEach(async () => {
  server = await startScriptedApiServer();
  transport = new KubeTransport(server.config, "test");
  store = new ObjectStore();
  running = null;
  failures = [];
  missed = 0;
});

afterEach(async () => {
  await running?.[Symbol.asyncDispose]();
  await transport[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

function start(timing: Partial<ReflectorTiming> = {}, heartbeat: Heartbeat = unwatched): Reflector {
  running = new Reflector({
    api: new KubeApi(transport, "test"),
    resource: THINGS,
    namespace: "team",
    store,
    clock: systemClock,
    timers: systemTimers,
    random: () => 0.5,
    logger: silentLogger,
    metrics: {
      ...noRuntimeMetrics,
      watchFailed: (_, reason) => void failures.push(reason),
      missedEvents: (_, count) => {
        missed += count;
      },
    },
    timing: { ...FAST, ...timing },
    heartbeat,
  });
  running.start();
  return running;
}

/** Lists as given, the last one again and again; likewise the watches, of which the last one stays open. */
function script(lists: readonly Answer[], watches: readonly Answer[]): void {
  server.script = ({ isWatch }, number) => {
    const answers = isWatch ? watches : lists;
    return answers[Math.min(number, answers.length - 1)] ?? watchWith([]);
  };
}

const holds = (...names: string[]): Promise<void> =>
  until(
    `the store holds ${names.join(", ")}`,
    () => JSON.stringify(store.keys().sort()) === JSON.stringify(names.map((name) => `team/${name}`)),
  );

const lists = () => server.requests.filter(({ isWatch }) => !isWatch);
const watches = () => server.requests.filter(({ isWatch }) => isWatch);

const a1 = { name: "a", version: "1" };
const b2 = { name: "b", version: "2" };
const c3 = { name: "c", version: "3" };

describe("reflector", () => {
  test("lists page by page and watches from the list's version, with bookmarks and an end", async () => {
    script([listOf([a1], "7", "page-2"), listOf([b2], "7")], [watchWith([eventLine("ADDED", c3)])]);
    await start().synced;
    await holds("a", "b", "c");
    expect(lists().map(({ query }) => [query.get("limit"), query.get("continue")])).toEqual([
      ["500", null],
      ["500", "page-2"],
    ]);
    const [watch] = watches();
    expect(watch?.resourceVersion).toBe("7");
    expect(watch?.query.get("allowWatchBookmarks")).toBe("true");
    expect(Number(watch?.query.get("timeoutSeconds"))).toBeGreaterThanOrEqual(300);
    expect(Number(watch?.query.get("timeoutSeconds"))).toBeLessThanOrEqual(600);
  });

  test("goes on from a bookmark when the server ends a watch", async () => {
    const bookmark = eventLine("BOOKMARK", { name: "", version: "40" });
    script([listOf([a1], "1")], [watchWith([bookmark], end()), watchWith([eventLine("ADDED", b2)])]);
    start();
    await holds("a", "b");
    expect(watches().map(({ resourceVersion }) => resourceVersion)).toEqual(["1", "40"]);
    expect([lists().length, failures]).toEqual([1, []]);
  });

  test.each([
    { name: "as an answer", watch: refuse(410) },
    {
      name: "as an event",
      watch: watchWith([`${JSON.stringify({ type: "ERROR", object: { kind: "Status", code: 410, reason: "Expired" } })}\n`]),
    },
  ])("lists again after 410 $name, and finds what is gone", async ({ watch }) => {
    script([listOf([a1, b2], "1"), listOf([b2, c3], "9")], [watch, watchWith([])]);
    start();
    await holds("b", "c");
    await until("it watches from the new list", () => watches().at(-1)?.resourceVersion === "9");
  });

  test.each([
    { name: "429", fault: refuse(429, { "retry-after": "0" }), reason: "Code429" },
    { name: "500", fault: refuse(500), reason: "Code500" },
    { name: "503", fault: refuse(503), reason: "Code503" },
    { name: "a reset", fault: reset(), reason: "Unreachable" },
    { name: "a reset in the middle", fault: watchWith([eventLine("ADDED", b2)], reset()), reason: "Unreachable" },
    { name: "a cut event", fault: watchWith([eventLine("ADDED", b2), '{"type":"ADDED","obj'], end()), reason: "Truncated" },
    { name: "a line that is no JSON", fault: watchWith([eventLine("ADDED", b2), "<html>\n"]), reason: "Malformed" },
    { name: "silence after the headers", fault: watchWith([]), reason: "Silent" },
    { name: "silence before the headers", fault: () => undefined, reason: "Silent" },
    { name: "silence in the middle of an event", fault: watchWith([eventLine("ADDED", b2), '{"type":"ADD']), reason: "Silent" },
    { name: "a watch that ends at once", fault: watchWith([], end()), reason: "Truncated" },
  ])("survives $name in a watch without listing again", async ({ fault, reason }) => {
    const good = watchWith([eventLine("ADDED", b2), eventLine("ADDED", c3)]);
    script([listOf([a1], "1")], [fault, fault, good]);
    start();
    await holds("a", "b", "c");
    expect(failures.slice(0, 2)).toEqual([reason, reason]);
    expect(lists().length).toBe(1);
  });

  test.each([
    { name: "429", fault: refuse(429) },
    { name: "500", fault: refuse(500) },
    { name: "a reset", fault: reset() },
    { name: "403, as before the rights are granted", fault: refuse(403) },
    { name: "a page that is no list", fault: (response: Parameters<Answer>[0]) => void response.end("{}") },
    { name: "a list that is cut off", fault: (response: Parameters<Answer>[0]) => void response.end('{"metadata":{},"ite') },
  ])("survives $name in a list", async ({ fault }) => {
    script([fault, fault, listOf([a1], "1")], [watchWith([])]);
    await start().synced;
    await holds("a");
    expect(failures.length).toBeGreaterThanOrEqual(2);
  });

  test("waits as long as a busy server asks", async () => {
    script([refuse(429, { "retry-after": "1" }), listOf([a1], "1")], [watchWith([])]);
    const startedAtMs = performance.now();
    await start().synced;
    expect(performance.now() - startedAtMs).toBeGreaterThanOrEqual(990);
  });

  test("lists anew from time to time and counts what the watch has lost", async () => {
    script([listOf([a1], "1"), listOf([a1, b2], "5")], [watchWith([], (response) => void setTimeout(() => response.end(), 60))]);
    start({ relistMs: 40 });
    await holds("a", "b");
    expect(missed).toBe(1);
  });

  test("goes on, as it tells, while the server is away or silent, but not in a call without an end", async () => {
    const board = new ProgressBoard(systemClock);
    // A list that is never answered stands for whatever a reflector could hang in.
    const hang: Answer = () => undefined;
    const lists = [refuse(503), reset(), refuse(500), listOf([a1], "1"), hang];
    script(lists, [watchWith([]), refuse(410)]);
    const reflector = start({ silenceMs: 150 }, board.follow("watch of things", 400));
    await reflector.synced;
    await until("the silent watch is given up", () => failures.includes("Silent"));
    expect(board.stalled()).toEqual([]);
    await until("it is seen to hang", () => board.stalled().length === 1);
    await reflector[Symbol.asyncDispose]();
    expect(board.stalled()).toEqual([]);
  });

  test("does nothing more after it was stopped", async () => {
    script([listOf([a1], "1")], [watchWith([])]);
    const reflector = start();
    await reflector.synced;
    await until("it watches", () => watches().length === 1);
    await reflector[Symbol.asyncDispose]();
    const before = server.requests.length;
    reflector.start();
    await new Promise((resolve) => setImmediate(resolve));
    expect(server.requests.length).toBe(before);
  });
});
