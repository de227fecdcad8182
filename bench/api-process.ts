// The program, in the role `api` unless said, in a process of its own on a real, durable PostgreSQL, both in a temporary folder. The bench is its client.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Pool } from "undici";
import type { Database } from "../src/db/database.ts";
import { migrate } from "../src/db/migrate.ts";
import { connectPostgres } from "../src/db/postgres.ts";
import { startEmbeddedPostgres } from "../src/standalone/embedded-postgres.ts";
import { createLogger } from "../src/telemetry/log.ts";
import { freePorts } from "../test/support/free-ports.ts";

const ROOT = join(import.meta.dirname, "..");
const START_DEADLINE_MS = 30_000;
/** A hundred clients at once would be more than any bench has. */
const MAX_SOCKETS = 100;

export type ApiAnswer = { readonly status: number; readonly body: Record<string, unknown> };

export type ApiProcess = AsyncDisposable & {
  /** For what the bench does beside the API, with as many connections as the API has. */
  readonly database: Database;
  readonly url: string;
  /** Of the process that runs now. */
  readonly pid: number;
  readonly key: string;
  /** The role's data folder. */
  readonly dataDir: string;
  /** An empty repository `default/<slug>`. */
  addRepository(slug: string): Promise<void>;
  post(path: string, body: unknown): Promise<ApiAnswer>;
  get(path: string): Promise<ApiAnswer>;
  /** Ends the process and starts another, on the cache folder that it left or an empty one. */
  restart(cache: "kept" | "emptied"): Promise<void>;
};

export type ApiProcessOptions = {
  /** `standalone` has workers too. */
  readonly role?: "api" | "standalone";
  /** More of the environment. */
  readonly settings?: Readonly<Record<string, string>>;
};

export async function startApiProcess({ role = "api", settings: more = {} }: ApiProcessOptions = {}): Promise<ApiProcess> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "coregit-bench-api-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  // The database that is started here locks a folder of its own.
  const [dataDir, databaseDir] = [join(folder, role), join(folder, "database")];
  await mkdir(dataDir);
  await mkdir(databaseDir);
  const logger = createLogger({ level: "error", format: "json", destination: process.stderr });
  const { url: databaseUrl } = stack.use(
    await startEmbeddedPostgres({ dataDir: databaseDir, logger, signal: AbortSignal.timeout(60_000) }),
  );
  await migrate({ url: databaseUrl, logger });
  const database = stack.use(await connectPostgres({ url: databaseUrl, logger, maxConnections: 16 }));
  const key = `cgk_live_${randomBytes(20).toString("hex")}`;
  const [port] = await freePorts(1);
  const listen = `127.0.0.1:${port}`;
  const url = `http://${listen}`;
  const settings = {
    COREGIT_DATABASE_URL: databaseUrl,
    COREGIT_BLOB_STORE: `file://${join(dataDir, "packs")}`,
    COREGIT_DATA_DIR: dataDir,
    COREGIT_MASTER_KEY: key,
    COREGIT_ENCRYPTION_KEY: randomBytes(32).toString("base64"),
    COREGIT_LISTEN: listen,
    COREGIT_PUBLIC_URL: url,
    ...more,
  };
  let running = await startRole(role, url, settings);
  stack.defer(() => running.end());
  const connections = new Pool(url, { connections: MAX_SOCKETS });
  stack.defer(() => connections.destroy());
  const owned = stack.move();
  return {
    database,
    url,
    key,
    dataDir,
    get pid() {
      return running.pid;
    },
    async addRepository(slug) {
      await database.query("INSERT INTO repositories (id, namespace, slug) VALUES ($1, 'default', $2)", [`repo_${slug}`, slug]);
    },
    post: (path, body) => ask(path, { connections, key, body }),
    get: (path) => ask(path, { connections, key }),
    async restart(cache) {
      await running.end();
      if (cache === "emptied") await rm(join(dataDir, "cache"), { recursive: true, force: true });
      running = await startRole(role, url, settings);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

type RunningRole = { readonly pid: number; end(): Promise<void> };

async function startRole(role: string, url: string, settings: Readonly<Record<string, string>>): Promise<RunningRole> {
  const child = spawn(process.execPath, [join(ROOT, "src/main.ts"), role], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, COREGIT_LOG_LEVEL: "warn", ...settings },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const closed = once(child, "close");
  const end = async () => {
    child.kill("SIGTERM");
    await closed;
  };
  await untilReady(url).catch(async (error: unknown) => {
    await end();
    throw error;
  });
  return { pid: child.pid ?? 0, end };
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

type Question = { readonly connections: Pool; readonly key: string; readonly body?: unknown };

/** A POST when there is a body. The bench's own work is on the processors of what it measures, so there should be little of it. */
async function ask(path: string, { connections, key, body }: Question): Promise<ApiAnswer> {
  const sent = body === undefined ? null : JSON.stringify(body);
  const headers = { "x-api-key": key, ...(sent === null ? {} : { "content-type": "application/json" }) };
  const answer = await connections.request({ path, method: sent === null ? "GET" : "POST", headers, body: sent });
  return { status: answer.statusCode, body: JSON.parse(await answer.body.text()) };
}
