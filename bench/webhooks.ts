// From a provider's delivery to the commit here: real HTTP, a real git server on loopback, a durable PostgreSQL, everything in one
// process on its two cores.
import { once } from "node:events";
import { Agent, request } from "node:http";
import { fastify } from "fastify";
import { CHANNELS } from "../src/db/database.ts";
import { systemClock } from "../src/domain/clock.ts";
import type { SyncSpec } from "../src/domain/sync-spec.ts";
import type { WebhookSecrets } from "../src/domain/webhook-secrets.ts";
import { HTTP_LIMITS } from "../src/http/limits.ts";
import { receiveWebhook } from "../src/http/routes/receive-webhook.ts";
import { registerSignedRoutes } from "../src/http/signed-routes.ts";
import { openWebhookIntake } from "../src/sync/webhook-intake.ts";
import { declareSync } from "../test/support/declare-sync.ts";
import { QUIET_SPEC, TEST_KEYS } from "../test/support/quiet-spec.ts";
import { fromGitHub, giveWebhook, push, type Sent } from "../test/support/signed-deliveries.ts";
import { createSourceRepository } from "../test/support/source-repository.ts";
import { serveSource } from "../test/support/test-remotes.ts";
import { type EngineStack, openEngineStack } from "./engine-stack.ts";
import { latencyRows, until } from "./latencies.ts";
import type { BenchRow } from "./measure.ts";

const DELIVERIES = 200;
const LIMITS = { p50: 200, p99: 600 };

type Door = AsyncDisposable & { deliver(syncId: string, sent: Sent): Promise<number> };

/** The route that takes deliveries, listening, and a client that keeps its connections. */
async function openDoor({ database }: EngineStack): Promise<Door> {
  const intake = openWebhookIntake({ database, keys: TEST_KEYS, clock: systemClock });
  const app = fastify();
  const signal = new AbortController().signal;
  void app.register(
    async (api) => registerSignedRoutes(api, [receiveWebhook(intake)], { signalOf: () => signal, limits: HTTP_LIMITS }),
    { prefix: "/v1" },
  );
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  const agent = new Agent({ keepAlive: true });
  return {
    async deliver(syncId, { headers, body }) {
      const sent = request(`${url}/v1/sync-webhooks/git/${syncId}`, { method: "POST", agent, headers });
      sent.end(body);
      const [response] = await once(sent, "response");
      response.resume();
      await once(response, "end");
      return response.statusCode;
    },
    async [Symbol.asyncDispose]() {
      agent.destroy();
      await app.close();
    },
  };
}

async function declare({ declarations }: EngineStack, name: string, spec: Partial<SyncSpec>) {
  const owner = { kind: "file", ref: name } as const;
  const declared = { owner, namespace: "default", name, repository: name, connection: null };
  return declareSync(declarations, { ...declared, spec: { ...QUIET_SPEC, branch: "main", ...spec } });
}

export async function benchWebhookToCommit(): Promise<readonly BenchRow[]> {
  await using stack = new AsyncDisposableStack();
  const engine = stack.use(await openEngineStack());
  const door = stack.use(await openDoor(engine));
  const source = stack.use(await createSourceRepository());
  await source.commit({ "a.txt": "0\n", "b/c.txt": "c\n" });
  const server = stack.use(await serveSource(source));
  const sync = await declare(engine, "copy", { remote: server.remoteUrl });
  const repository = { ...sync.repository, id: sync.repository.id };
  await until(async () => (await engine.declarations.readSync(sync.id))?.lastSyncedSha !== null);
  const secrets: WebhookSecrets = await giveWebhook(engine.database, sync.id, "git");
  let moved = Promise.withResolvers<void>();
  const onMessage = (id: string) => (id === repository.id ? moved.resolve() : undefined);
  stack.use(await engine.database.listen(CHANNELS.refMoved, { onMessage, onGap: () => undefined }));
  const times: number[] = [];
  for (let index = 1; index <= DELIVERIES; index += 1) {
    const after = await source.commit({ "a.txt": `${index}\n` });
    moved = Promise.withResolvers();
    const startedMs = performance.now();
    if ((await door.deliver(sync.id, fromGitHub(secrets, push({ after })))) !== 202)
      throw new Error("A delivery was not accepted.");
    await moved.promise;
    times.push(performance.now() - startedMs);
    await until(async () => (await engine.declarations.readSync(sync.id))?.lastSyncedSha === after);
  }
  return latencyRows("webhook-to-commit", `${DELIVERIES} deliveries, 1 file changed`, times, LIMITS);
}
