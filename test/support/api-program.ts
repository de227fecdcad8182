// The `api` role as it is run: a process of its own on a database of a test.
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTestDatabase } from "./database.ts";
import { freePorts } from "./free-ports.ts";
import { type RunningProgram, startProgram } from "./running-program.ts";
import { until } from "./until.ts";

/** A start takes one to two seconds of a processor, of which a busy machine may have little to give. */
const READY_WITHIN_MS = 60_000;
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
export async function startApiProgram(settings: Readonly<Record<string, string>> = {}): Promise<ApiProgram> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "coregit-api-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const { url: databaseUrl, database } = stack.use(await createTestDatabase());
  const [port] = await freePorts(1);
  const secrets = newSecrets();
  const place = { databaseUrl, ...secrets, sharedDir: folder, dataDir: folder, port, settings };
  const { child } = stack.use(await startApiReplica(place));
  const owned = stack.move();
  return {
    url: `http://127.0.0.1:${port}`,
    key: secrets.key,
    pid: child.pid ?? 0,
    quarantineDir: join(folder, "cache", "quarantine"),
    async addRepository(slug) {
      await database.query("INSERT INTO repositories (id, namespace, slug) VALUES ($1, 'default', $2)", [`repo_${slug}`, slug]);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

export type ApiSecrets = { readonly key: string; readonly encryptionKey: string };

export function newSecrets(): ApiSecrets {
  return { key: `cgk_live_${randomBytes(20).toString("hex")}`, encryptionKey: randomBytes(32).toString("base64") };
}

export type ApiReplicaSettings = ApiSecrets & {
  readonly databaseUrl: string;
  /** Of all replicas: the packs are in it. */
  readonly sharedDir: string;
  /** Its own: for its cache and its log. */
  readonly dataDir: string;
  readonly port: number;
  /** Further variables. */
  readonly settings?: Readonly<Record<string, string>>;
};

/** One replica, which is ready when this resolves. */
export async function startApiReplica(settings: ApiReplicaSettings): Promise<RunningProgram> {
  const { databaseUrl, sharedDir, key, encryptionKey, dataDir, port } = settings;
  await using stack = new AsyncDisposableStack();
  const env = {
    COREGIT_DATABASE_URL: databaseUrl,
    COREGIT_BLOB_STORE: `file://${join(sharedDir, "packs")}`,
    COREGIT_DATA_DIR: dataDir,
    COREGIT_MASTER_KEY: key,
    COREGIT_ENCRYPTION_KEY: encryptionKey,
    COREGIT_LISTEN: `127.0.0.1:${port}`,
    ...settings.settings,
    // The second start and those after it take half as long.
    NODE_COMPILE_CACHE: join(sharedDir, "compiled"),
  };
  const logPath = join(dataDir, "log");
  const program = stack.use(startProgram(process.execPath, { args: [MAIN, "api"], logPath, env }));
  const isReady = async () => {
    if (program.child.exitCode !== null) throw new Error(`The API ended: ${await readFile(logPath, "utf8")}`);
    return await fetch(`http://127.0.0.1:${port}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  };
  await until("the API is ready", isReady, READY_WITHIN_MS);
  stack.move();
  return program;
}
