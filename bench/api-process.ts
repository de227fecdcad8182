// The `api` role in a process of its own on a real, durable PostgreSQL, both in a temporary folder. The bench is its client.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent, request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Database } from "../src/db/database.ts";
import { migrate } from "../src/db/migrate.ts";
import { connectPostgres } from "../src/db/postgres.ts";
import { startEmbeddedPostgres } from "../src/standalone/embedded-postgres.ts";
import { createLogger } from "../src/telemetry/log.ts";

const ROOT = join(import.meta.dirname, "..");
const START_DEADLINE_MS = 30_000;
/** A hundred clients at once would be more than any bench has. */
const MAX_SOCKETS = 100;

export type ApiAnswer = { readonly status: number; readonly body: Record<string, unknown> };

export type ApiProcess = AsyncDisposable & {
  /** For what the bench does beside the API, with as many connections as the API has. */
  readonly database: Database;
  readonly url: string;
  readonly pid: number;
  readonly key: string;
  /** An empty repository `default/<slug>`. */
  addRepository(slug: string): Promise<void>;
  post(path: string, body: unknown): Promise<ApiAnswer>;
};

export async function startApiProcess(): Promise<ApiProcess> {
  await using stack = new AsyncDisposableStack();
  const dataDir = await mkdtemp(join(tmpdir(), "coregit-bench-api-"));
  stack.defer(() => rm(dataDir, { recursive: true, force: true }));
  const logger = createLogger({ level: "error", format: "json", destination: process.stderr });
  const { url: databaseUrl } = stack.use(await startEmbeddedPostgres({ dataDir, logger, signal: AbortSignal.timeout(60_000) }));
  await migrate({ url: databaseUrl, logger });
  const database = stack.use(await connectPostgres({ url: databaseUrl, logger, maxConnections: 16 }));
  const key = `cgk_live_${randomBytes(20).toString("hex")}`;
  const listen = `127.0.0.1:${await freePort()}`;
  const child = spawn(process.execPath, [join(ROOT, "src/main.ts"), "api"], {
    cwd: ROOT,
    env: {
      PATH: process.env.PATH,
      COREGIT_DATABASE_URL: databaseUrl,
      COREGIT_BLOB_STORE: `file://${join(dataDir, "packs")}`,
      COREGIT_DATA_DIR: dataDir,
      COREGIT_MASTER_KEY: key,
      COREGIT_ENCRYPTION_KEY: randomBytes(32).toString("base64"),
      COREGIT_LISTEN: listen,
      COREGIT_LOG_LEVEL: "warn",
    },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const closed = once(child, "close");
  stack.defer(async () => {
    child.kill("SIGTERM");
    await closed;
  });
  const agent = new Agent({ keepAlive: true, maxSockets: MAX_SOCKETS });
  stack.defer(() => agent.destroy());
  const url = `http://${listen}`;
  await untilReady(url);
  const owned = stack.move();
  return {
    database,
    url,
    key,
    pid: child.pid ?? 0,
    async addRepository(slug) {
      await database.query("INSERT INTO repositories (id, namespace, slug) VALUES ($1, 'default', $2)", [`repo_${slug}`, slug]);
    },
    post: (path, body) => post(`${url}${path}`, { agent, key, body }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function untilReady(url: string): Promise<void> {
  const deadlineMs = performance.now() + START_DEADLINE_MS;
  while (performance.now() < deadlineMs) {
    const isReady = await fetch(`${url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isReady) return;
    await delay(50);
  }
  throw new Error("the API did not become ready");
}

async function post(
  url: string,
  { agent, key, body }: { readonly agent: Agent; readonly key: string; readonly body: unknown },
): Promise<ApiAnswer> {
  const bytes = Buffer.from(JSON.stringify(body));
  const headers = { "x-api-key": key, "content-type": "application/json", "content-length": bytes.length };
  const sent = request(url, { method: "POST", agent, headers });
  sent.end(bytes);
  const [response] = await once(sent, "response");
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return { status: response.statusCode, body: JSON.parse(Buffer.concat(chunks).toString()) };
}
