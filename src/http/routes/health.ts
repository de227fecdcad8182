// What probes and scrapers ask, without a key: alive, ready, metrics.
import type { FastifyInstance } from "fastify";
import type { MetricsPage } from "../../telemetry/metrics.ts";
import type { Readiness } from "../ports.ts";
import { refuseOtherMethods } from "../register-routes.ts";

export type HealthPorts = { readonly readiness: Readiness; readonly metricsPage: MetricsPage };

const TAKEN = new Set(["GET", "HEAD"]);

export function registerHealthRoutes(app: FastifyInstance, { readiness, metricsPage }: HealthPorts): void {
  app.get("/livez", () => ({ status: "ok" }));
  app.get("/readyz", async (_request, reply) => {
    const checks = await readiness.check();
    const isReady = checks.every((check) => check.reason === null);
    const dependencies = checks.map(({ name, reason }) => ({ name, ready: reason === null, reason }));
    return reply.code(isReady ? 200 : 503).send({ status: isReady ? "ready" : "not ready", dependencies });
  });
  app.get("/metrics", async (_request, reply) => reply.type(metricsPage.contentType).send(await metricsPage.render()));
  for (const url of ["/livez", "/readyz", "/metrics"]) refuseOtherMethods(app, url, TAKEN);
}
