// Databases of people who back them up, in the two ways of docs/operate/back-up-and-restore.md: by dumps, and by an archive of the
// log that leads to any point in time. Each is a server of its own, which is lost with its disk before it is restored.
import { execFile } from "node:child_process";
import { access, appendFile, chmod, chown, constants, mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { connectPostgres } from "../../src/db/postgres.ts";
import { startEmbeddedPostgres } from "../../src/standalone/embedded-postgres.ts";
import { silentLogger } from "./silent-logger.ts";
import { findSystemPostgres } from "./system-postgres.ts";
import { startTemporaryPostgres } from "./temporary-postgres.ts";

const run = promisify(execFile);

export interface BackedUpDatabase extends AsyncDisposable {
  /** Of the superuser, until it is restored. */
  readonly url: string;
  /** What is in the database now can be restored later. */
  backUp(): Promise<void>;
  /** Loses the server with its disk, and answers the URL of the one that was restored. */
  restore(): Promise<string>;
}

/** The folder of `pg_dump` and `pg_restore` of the machine's own server; null where it has none. */
export async function findDumpPrograms(): Promise<string | null> {
  const folder = await findSystemPostgres();
  if (folder === undefined) return null;
  return await access(join(folder, "pg_dump"), constants.X_OK).then(
    () => folder,
    () => null,
  );
}

export async function startDumpedDatabase(programs: string): Promise<BackedUpDatabase> {
  await using stack = new AsyncDisposableStack();
  const folder = await temporaryFolder(stack);
  const server = stack.use(await startTemporaryPostgres());
  const dump = join(folder, "coregit.dump");
  const owned = stack.move();
  return {
    url: server.url,
    async backUp() {
      await run(join(programs, "pg_dump"), ["--format=custom", `--file=${dump}`], { env: environmentOf(server.url) });
    },
    async restore() {
      await server[Symbol.asyncDispose]();
      const { url } = owned.use(await startTemporaryPostgres());
      const env = environmentOf(url);
      await run(join(programs, "pg_restore"), ["--exit-on-error", "--no-owner", `--dbname=${env.PGDATABASE}`, dump], { env });
      return url;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** What libpq's programs take, so that no password stands in their arguments. */
function environmentOf(url: string) {
  const { hostname, port, username, password, pathname } = new URL(url);
  const database = pathname.slice(1);
  return { PGHOST: hostname, PGPORT: port, PGUSER: username, PGPASSWORD: decodeURIComponent(password), PGDATABASE: database };
}

/** Archives its log from the start on, with one base backup; a backup is a time to go back to. */
export async function startArchivedDatabase(): Promise<BackedUpDatabase> {
  await using stack = new AsyncDisposableStack();
  const folder = await temporaryFolder(stack);
  const lost = join(folder, "lost");
  const restored = join(folder, "restored");
  const archive = join(folder, "archive");
  // The server writes there under an account of its own.
  await mkdir(archive);
  await chmod(archive, 0o777);
  {
    await using server = await start(lost);
    await ask(server.url, "ALTER SYSTEM SET archive_mode = 'on'");
    await ask(server.url, `ALTER SYSTEM SET archive_command = 'cp "%p" "${archive}/%f"'`);
  }
  const server = stack.use(await start(lost));
  await takeBaseBackup(server.url, lost, restored);
  let time = "";
  const owned = stack.move();
  return {
    url: server.url,
    async backUp() {
      time = await ask(server.url, "SELECT clock_timestamp()::text AS answer");
    },
    async restore() {
      await ask(server.url, "SELECT pg_switch_wal()::text AS answer");
      await server[Symbol.asyncDispose]();
      await rm(lost, { recursive: true });
      await prepareRecovery(join(restored, "postgres"), { archive, time });
      return owned.use(await start(restored)).url;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const start = (dataDir: string) => startEmbeddedPostgres({ dataDir, logger: silentLogger, signal: AbortSignal.timeout(60_000) });

async function ask(url: string, statement: string): Promise<string> {
  await using database = await connectPostgres({ url, logger: silentLogger, maxConnections: 1 });
  const { rows } = await database.query<{ answer: string }>(statement);
  return rows[0]?.answer ?? "";
}

/** What `pg_basebackup` does, by the functions that PostgreSQL offers for it. */
async function takeBaseBackup(url: string, from: string, to: string): Promise<void> {
  // One connection: the server ends a backup whose session is gone.
  await using session = await connectPostgres({ url, logger: silentLogger, maxConnections: 1 });
  await session.query("SELECT pg_backup_start('drill', true)");
  await run("cp", ["-a", from, to]);
  const { rows } = await session.query<{ labelfile: string }>("SELECT labelfile FROM pg_backup_stop()");
  const data = join(to, "postgres");
  await writeOwned(data, "backup_label", rows[0]?.labelfile ?? "");
  await rm(join(data, "postmaster.pid"));
  const log = join(data, "pg_wal");
  for (const entry of await readdir(log, { withFileTypes: true })) if (entry.isFile()) await rm(join(log, entry.name));
}

type Recovery = { readonly archive: string; readonly time: string };

async function prepareRecovery(data: string, { archive, time }: Recovery): Promise<void> {
  const settings = [
    "archive_mode = off",
    `restore_command = 'cp "${archive}/%f" "%p"'`,
    `recovery_target_time = '${time}'`,
    "recovery_target_action = promote",
  ];
  await appendFile(join(data, "postgresql.auto.conf"), `${settings.join("\n")}\n`);
  await writeOwned(data, "recovery.signal", "");
}

/** A file that belongs to whom its folder belongs. */
async function writeOwned(folder: string, name: string, text: string): Promise<void> {
  const { uid, gid } = await stat(folder);
  await writeFile(join(folder, name), text, { mode: 0o600 });
  await chown(join(folder, name), uid, gid);
}

async function temporaryFolder(stack: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "coregit-drill-postgres-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  await chmod(folder, 0o755);
  return folder;
}
