// One cause, one trace: a push at the provider, its delivery, the import, the export that follows from it and the push that ends it,
// over two workers' runs and the database between them.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SyncStatus } from "../../src/domain/declaration.ts";
import { openTelemetry, type Telemetry } from "../../src/telemetry/open-telemetry.ts";
import { declareSync } from "../support/declare-sync.ts";
import { git } from "../support/git.ts";
import { MASTER_KEY } from "../support/http-world.ts";
import { linesIn } from "../support/log-lines.ts";
import { type CollectedSpan, startTraceCollector, type TraceCollector } from "../support/trace-collector.ts";
import { until } from "../support/until.ts";
import { openWebhookWorld, startGitHubPlace, type WebhookWorld } from "../support/webhook-world.ts";

const within = { timeout: 15_000, interval: 20 };
const CALLER = "0af7651916cd43dd8448eb211c80319c";
const TRACEPARENT = `00-${CALLER}-b7ad6b7169203331-01`;

describe("with traces", () => {
  let collector: TraceCollector;
  let telemetry: Telemetry;
  let log: ReturnType<typeof linesIn>;
  let w: WebhookWorld;
  let imported: SyncStatus;
  let exported: SyncStatus;

  beforeAll(async () => {
    collector = await startTraceCollector();
    log = linesIn();
    telemetry = await openTelemetry(
      { level: "debug", format: "json", destination: log.destination },
      {
        url: collector.url,
        headers: {},
        timeoutMs: 2_000,
        delayMs: 10,
        sampler: { kind: "on", ratio: 1, isParentBased: true },
        resource: { "service.name": "coregit" },
      },
    );
    w = await openWebhookWorld(startGitHubPlace, telemetry);
    await w.startRegistrar();
    imported = await w.declare();
    await until("the webhook is active", async () => (await w.row(imported))?.state === "Active");
    exported = await declareExport();
    await w.engine.drain();
  });
  afterAll(async () => {
    await w[Symbol.asyncDispose]();
    await telemetry[Symbol.asyncDispose]();
    await collector[Symbol.asyncDispose]();
  });

  const declareExport = async (): Promise<SyncStatus> => {
    await w.place.addRepository("team/mirror");
    return await declareSync(w.http.world.declarations, {
      owner: { kind: "resource", ref: "uid-out" },
      namespace: "default",
      name: "out",
      repository: "site",
      connection: "site",
      spec: { ...imported.spec, direction: "export", remote: "team/mirror", transport: "git", onDivergence: "Overwrite" },
    });
  };
  const runsOf = async ({ id }: SyncStatus) => {
    const { runs } = await w.http.world.history.listRuns({ syncId: id }, { limit: 10 });
    return runs;
  };
  const named = (traceId: string) => collector.spans.filter((span) => span.traceId === traceId);
  const parentOf = (span: CollectedSpan | undefined) => collector.spans.find(({ spanId }) => spanId === span?.parentSpanId);
  /** From a span up to where its trace began. */
  const ancestry = (span: CollectedSpan | undefined): string[] =>
    span === undefined ? [] : [span.name, ...ancestry(parentOf(span))];

  test("a delivery, the import, the export that follows and its push are one trace, in the log and in history too", async () => {
    const before = (await runsOf(exported)).length;
    await w.place.commit({ "news.txt": "1\n" });
    await expect.poll(async () => (await runsOf(exported)).length, within).toBe(before + 1);
    await w.engine.drain();

    const [lastImport] = await runsOf(imported);
    const [lastExport] = await runsOf(exported);
    const traceId = lastImport?.traceId ?? "";
    expect(traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(lastExport).toMatchObject({ status: "success", traceId });
    const push = () => named(traceId).find(({ name }) => name === "git receive-pack");
    await expect.poll(() => named(traceId).some(({ name }) => name === "run export"), within).toBe(true);
    const delivery = "POST /v1/sync-webhooks/:provider/:syncId";
    expect(ancestry(push())).toEqual(["git receive-pack", "push", "run export", "publish", "run import", delivery]);
    const names = new Set(named(traceId).map(({ name }) => name));
    for (const name of ["check head", "fetch", "receive pack", "plan", "git upload-pack"]) expect(names).toContain(name);
    const run = named(traceId).find(({ name }) => name === "run import");
    expect(run?.attributes).toMatchObject({
      "coregit.sync.id": imported.id,
      "coregit.sync.name": "default/site",
      "coregit.run.id": lastImport?.id,
      "coregit.status": "success",
    });
    const told = log.lines().filter((line) => line.trace_id === traceId);
    expect(told.map(({ msg }) => msg)).toEqual(expect.arrayContaining(["Request.", "Run ended."]));
    expect(told.find(({ run: id }) => id === lastExport?.id)).toMatchObject({ namespace: "default", name: "out" });
  });

  test("a caller's trace goes on in the run that its trigger asks for, and nothing of it holds a secret", async () => {
    const headers = { "x-api-key": MASTER_KEY, traceparent: TRACEPARENT };
    const { status } = await w.http.ask("/v1/repos/site/sync", { method: "POST", headers, body: { sync_id: imported.id } });
    expect(status).toBe(200);
    await expect.poll(() => named(CALLER).some(({ name }) => name === "run import"), within).toBe(true);
    expect(await runsOf(imported)).toEqual(expect.arrayContaining([expect.objectContaining({ traceId: CALLER })]));
    const sent = collector.requests.map(({ text }) => text).join("\n");
    for (const secret of [MASTER_KEY, w.place.token]) expect(sent).not.toContain(secret);
  });

  test("a commit by the API goes on in the export that it wakes", async () => {
    const before = (await runsOf(exported)).length;
    const { status } = await w.http.ask("/v1/repos/site/commits", {
      method: "POST",
      headers: { "x-api-key": MASTER_KEY, traceparent: TRACEPARENT },
      body: {
        branch: "main",
        message: "By hand",
        author: { name: "Ann", email: "ann@example.com" },
        changes: [{ path: "ours.txt", content: "1\n" }],
      },
    });
    expect(status).toBe(201);
    await expect.poll(async () => (await runsOf(exported)).length, within).toBe(before + 1);
    expect((await runsOf(exported))[0]).toMatchObject({ traceId: CALLER });
  });

  test("a push goes on in the export that it wakes", async () => {
    const before = (await runsOf(exported)).length;
    const pusher = "e".repeat(32);
    const folder = await mkdtemp(join(tmpdir(), "coregit-push-"));
    await git(["clone", "--quiet", w.http.gitUrl("site"), folder]);
    await writeFile(join(folder, "pushed.txt"), "1\n");
    await git(["add", "."], { cwd: folder });
    await git(["commit", "--quiet", "--message", "By git"], { cwd: folder });
    const header = `http.extraHeader=traceparent: 00-${pusher}-${"f".repeat(16)}-01`;
    await git(["-c", header, "push", "--quiet", "origin", "HEAD:main"], { cwd: folder });
    await rm(folder, { recursive: true });
    await expect.poll(async () => (await runsOf(exported)).length, within).toBe(before + 1);
    expect((await runsOf(exported))[0]).toMatchObject({ traceId: pusher });
  });

  test("a changed declaration and a changed connection go on in the runs that they wake", async () => {
    const { tracer } = telemetry;
    const runUnder = async (name: string, work: () => Promise<unknown>): Promise<void> => {
      await tracer.span(name, { causes: [] }, work);
      await expect
        .poll(() => collector.spans.some((span) => ancestry(span).join(" < ") === `run import < ${name}`), within)
        .toBe(true);
      await w.engine.drain();
    };
    await runUnder("reconcile reposync", () => w.declare({ onDivergence: "Overwrite" }));
    await runUnder("reconcile connection", async () => {
      await w.withdrawConnection();
      await w.connect(w.place.token);
    });
  });

  test("of several causes the first is the parent, and the others are linked", async () => {
    const { database } = w.http.world;
    const first = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
    const other = `00-${"c".repeat(32)}-${"d".repeat(16)}-01`;
    await database.query("UPDATE syncs SET wake_traces = $2, next_run_at = now() WHERE id = $1", [
      imported.id,
      [first, other, first],
    ]);
    await w.engine.drain();
    const run = () => named("a".repeat(32)).find(({ name }) => name === "run import");
    await expect.poll(() => run() !== undefined, within).toBe(true);
    expect(run()?.links).toMatchObject([{ traceId: "c".repeat(32), spanId: "d".repeat(16) }]);
    const { rows } = await database.query("SELECT wake_traces FROM syncs WHERE id = $1", [imported.id]);
    expect(rows).toEqual([{ wake_traces: [] }]);
  });
});
