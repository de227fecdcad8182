// What probes and scrapers ask, without a key: alive, ready, metrics. Alive means that everything which should go on by
// itself does; whether the world around the process is well is what ready says.
import { setTimeout as delay } from "node:timers/promises";
import type { FastifyInstance } from "fastify";
import type { ProgressBoard } from "../../domain/progress.ts";
import type { MetricsPage } from "../../telemetry/metrics.ts";
import type { Readiness } from "../ports.ts";
import { refuseOtherMethods } from "../register-routes.ts";

export type HealthPorts = {
  readonly readiness: Readiness;
  /** null: the metrics are at an address of their own. */
  readonly metricsPage: MetricsPage | null;
  /** Absent: nothing in the process goes on by itself. */
  readonly progress?: Pick<ProgressBoard, "stalled">;
};

const TAKEN = new Set(["GET", "HEAD"]);

export function registerHealthRoutes(app: FastifyInstance, { readiness, metricsPage, progress }: HealthPorts): void {
  app.get("/livez", async (_request, reply) => {
    // After a pause of the whole process every timer that is overdue runs first, and so does who waits for it.
    await delay(0);
    const stalled = (progress?.stalled() ?? []).map(({ name, silentMs }) => ({ name, silent_ms: silentMs }));
    return stalled.length === 0 ? { status: "ok" } : reply.code(503).send({ status: "stalled", stalled });
  });
  app.get("/readyz", async (_request, reply) => {
    const checks = await readiness.check();
    const isReady = checks.every((check) => check.reason === null);
    const dependencies = checks.map(({ name, reason }) => ({ name, ready: reason === null, reason }));
    return reply.code(isReady ? 200 : 503).send({ status: isReady ? "ready" : "not ready", dependencies });
  });
  for (const url of ["/livez", "/readyz"]) refuseOtherMethods(app, url, TAKEN);
  if (metricsPage !== null) registerMetricsRoute(app, metricsPage);
}

export function registerMetricsRoute(app: FastifyInstance, page: MetricsPage): void {
  app.get("/metrics", async (_request, reply) => reply.type(page.contentType).send(await page.render()));
  refuseOtherMethods(app, "/metrics", TAKEN);
}
