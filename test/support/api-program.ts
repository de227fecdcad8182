// The `api` role as it is run: a process of its own on a database of a test.
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTestDatabase } from "./database.ts";
import { freePorts, startProgram } from "./running-program.ts";
import { until } from "./until.ts";

const MAIN = join(import.meta.dirname, "../../src/main.ts");

export interface ApiProgram extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  readonly key: string;
  /** Where its quarantines are, one folder below. */
  readonly quarantineDir: string;
  addRepository(slug: string): Promise<void>;
}

/** Packs are in files, so that the database takes no part in what is measured. */
export async function startApiProgram(): Promise<ApiProgram> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "coregit-api-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const { url: databaseUrl, database } = stack.use(await createTestDatabase());
  const [port] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const key = `cgk_live_${randomBytes(20).toString("hex")}`;
  const env = {
    COREGIT_DATABASE_URL: databaseUrl,
    COREGIT_BLOB_STORE: `file://${join(folder, "packs")}`,
    COREGIT_DATA_DIR: folder,
    COREGIT_MASTER_KEY: key,
    COREGIT_ENCRYPTION_KEY: randomBytes(32).toString("base64"),
    COREGIT_LISTEN: `127.0.0.1:${port}`,
  };
  const { child } = stack.use(startProgram(process.execPath, { args: [MAIN, "api"], logPath: join(folder, "log"), env }));
  await until("the API is ready", () =>
    fetch(`${url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  const owned = stack.move();
  return {
    url,
    key,
    pid: child.pid ?? 0,
    quarantineDir: join(folder, "cache", "quarantine"),
    async addRepository(slug) {
      await database.query("INSERT INTO repositories (id, namespace, slug) VALUES ($1, 'default', $2)", [`repo_${slug}`, slug]);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
