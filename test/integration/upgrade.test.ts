// An upgrade as a cluster does it: the schema first, while processes of this release run on, then new ones beside them, and
// perhaps back again. The release to come is made up here: it expands every table there is.
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "../../src/db/migrate.ts";
import { readMigrations } from "../../src/db/migration-files.ts";
import { newSecrets, startApiReplica } from "../support/api-program.ts";
import { freePorts } from "../support/free-ports.ts";
import { silentLogger } from "../support/silent-logger.ts";
import { createSourceRepository, type SourceRepository } from "../support/source-repository.ts";
import { openSyncWorld, type SyncWorld } from "../support/sync-world.ts";
import { serveSource } from "../support/test-remotes.ts";
import { until } from "../support/until.ts";

const MIGRATIONS = join(import.meta.dirname, "../../src/db/migrations");
const AUTHOR = { name: "Ada", email: "ada@example.com" };

let owned = new AsyncDisposableStack();
let folder: string;
let world: SyncWorld;
let source: SourceRepository;
let remoteUrl: string;
let apiUrl: string;
const secrets = newSecrets();

beforeAll(async () => {
  await using stack = new AsyncDisposableStack();
  folder = await mkdtemp(join(tmpdir(), "coregit-upgrade-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  source = stack.use(await createSourceRepository());
  await source.commit({ "README.md": "Hello\n" });
  remoteUrl = stack.use(await serveSource(source)).remoteUrl;
  world = stack.use(await openSyncWorld());
  const [port] = await freePorts(1);
  apiUrl = `http://127.0.0.1:${port}`;
  stack.use(await startApiReplica({ databaseUrl: world.url, ...secrets, sharedDir: folder, dataDir: folder, port }));
  owned = stack.move();
});

afterAll(async () => {
  await owned.disposeAsync();
});

/** The migrations of this release and one more; answers what was applied. */
async function migrateTo(name: string, sql: string): Promise<readonly string[]> {
  const directory = join(folder, "migrations");
  await cp(MIGRATIONS, directory, { recursive: true });
  const applied = await world.database.query("SELECT 1 FROM schema_migrations");
  await writeFile(join(directory, `${String(applied.rowCount + 1).padStart(4, "0")}-${name}.sql`), sql);
  return await migrate({ url: world.url, logger: silentLogger, directory });
}

async function expansionOfEveryTable(): Promise<string> {
  const { rows } = await world.database.query<{ name: string }>(
    "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'schema_migrations'",
  );
  const columns = rows.map(
    ({ name }) => `ALTER TABLE ${name} ADD COLUMN future_note text, ADD COLUMN future_count integer NOT NULL DEFAULT 0;`,
  );
  return [...columns, "CREATE TABLE future (id text PRIMARY KEY);"].join("\n");
}

const readiness = async (): Promise<number> => (await fetch(`${apiUrl}/readyz`)).status;

async function commit(path: string): Promise<number> {
  const headers = { "x-api-key": secrets.key, "content-type": "application/json" };
  const body = { branch: "main", message: "A commit", author: AUTHOR, changes: [{ path, content: "x\n" }] };
  const answer = await fetch(`${apiUrl}/v1/repos/copy/commits`, { method: "POST", headers, body: JSON.stringify(body) });
  return answer.status;
}

test("processes of this release go on beside a schema that the next one expanded, and start on it, as after a rollback", async () => {
  const engine = await world.startEngine();
  const sync = await world.settle(engine, await world.declare(remoteUrl));
  expect(await commit("before.md")).toBe(201);
  expect(await migrateTo("expands", await expansionOfEveryTable())).toHaveLength(1);

  expect(await readiness()).toBe(200);
  expect(await commit("after.md")).toBe(201);
  await source.commit({ "docs/new.md": "New\n" });
  await world.database.query("UPDATE syncs SET next_run_at = now() WHERE id = $1", [sync.id]);
  const synced = await world.settle(engine, sync);
  expect(synced).toMatchObject({ lastErrorCode: null, lastSyncedSha: await source.head() });
  await world.declare(remoteUrl, { branch: "other", remoteBranch: "main" }, "second");
  await engine.drain();
  expect(await world.head("other", "second")).not.toBeNull();

  // What a rollback runs first: the migrations of this release, on the schema of the next.
  expect(await migrate({ url: world.url, logger: silentLogger })).toEqual([]);
  const [port] = await freePorts(1);
  await using _replica = await startApiReplica({
    databaseUrl: world.url,
    ...secrets,
    sharedDir: folder,
    dataDir: join(folder, "cache"),
    port,
  });
});

test("a process that cannot work on a schema any more says so and is not ready, and goes on once it can", async () => {
  const own = (await readMigrations()).length;
  const [applied] = await migrateTo("contracts", `-- needs: ${String(own + 1).padStart(4, "0")}\nDROP TABLE IF EXISTS future;`);
  await until("it is no longer ready", async () => (await readiness()) === 503);
  const { dependencies } = (await (await fetch(`${apiUrl}/readyz`)).json()) as { readonly dependencies: readonly object[] };
  expect(JSON.stringify(dependencies)).toContain(`it has migration ${applied}. Run a newer version.`);
  await world.database.query("DELETE FROM schema_migrations WHERE name = $1", [applied]);
  await until("it is ready again", async () => (await readiness()) === 200);
});
