// The composition of `coregit doctor`: what its checks reach, opened as the roles open it, and closed again.
import { join } from "node:path";
import { openBlobStore } from "./blobs/open-blob-store.ts";
import type { DoctorCheck } from "./cli/ports.ts";
import type { Config } from "./config/config.ts";
import type { Database } from "./db/database.ts";
import { listRepositoriesAfter, type RepositoryName } from "./db/expected-objects.ts";
import { schemaProblem } from "./db/migrate.ts";
import { listDamagedPacks } from "./db/pack-checks.ts";
import { connectPostgres, openPostgres } from "./db/postgres.ts";
import { findRepository } from "./db/repositories.ts";
import type { SealingKeys } from "./db/seal.ts";
import { countSeals } from "./db/sealed-columns.ts";
import { systemClock } from "./domain/clock.ts";
import { CoregitError } from "./domain/errors.ts";
import type { Logger } from "./domain/log.ts";
import { ProcessDirectory } from "./repositories/process-directory.ts";
import { inspectRepository } from "./repositories/upkeep/inspect-repository.ts";
import { startEmbeddedPostgres } from "./standalone/embedded-postgres.ts";
import { findRunningPostgres, hasEmbeddedPostgres } from "./standalone/running-postgres.ts";
import { createLogger } from "./telemetry/log.ts";

const TOLD_PACKS = 5;
const PAGE = 100;
/** Where the default namespace may be left out. */
const DEFAULT_NAMESPACE = "default";

/** What `doctor` asks of the world beside settings and programs. */
export async function reachabilityChecks(config: Config): Promise<readonly DoctorCheck[]> {
  const logger = silentLogger();
  const url = config.databaseUrl ?? (await findRunningPostgres(config.dataDir));
  if (url === null) return [{ name: "database", run: async () => "embedded; standalone starts it" }];
  return [
    {
      name: "database",
      async run() {
        await using database = await connectPostgres({ url, logger, maxConnections: 1 });
        await checkSchema(database);
        return "reachable, schema current";
      },
    },
    {
      name: "encryption key",
      async run() {
        await using database = openPostgres({ url, logger, maxConnections: 1 });
        return await checkSeals(database, config.encryptionKeys);
      },
    },
    {
      name: "blob store",
      async run() {
        await using database = openPostgres({ url, logger, maxConnections: 1 });
        await using blobs = await openBlobStore(config.blobStore, database);
        await blobs.check();
        return blobs.description;
      },
    },
    {
      name: "packs",
      async run() {
        await using database = openPostgres({ url, logger, maxConnections: 1 });
        return await checkPacks(database);
      },
    },
  ];
}

/** A check for each repository, made as it is asked for; everything is closed when the last one has been taken. */
export async function* deepChecks(config: Config, repository: string | null, signal: AbortSignal): AsyncGenerator<DoctorCheck> {
  await using stack = new AsyncDisposableStack();
  const logger = silentLogger();
  const url = await databaseUrl(config, { stack, logger, signal });
  if (url === null) {
    yield { name: "repositories", run: async () => `none; no standalone has been started on ${config.dataDir}` };
    return;
  }
  const database = stack.use(await connectPostgres({ url, logger, maxConnections: 2 }));
  await checkSchema(database);
  const blobs = stack.use(await openBlobStore(config.blobStore, database));
  const work = stack.use(await ProcessDirectory.open(join(config.dataDir, "cache", "doctor"), systemClock));
  for await (const found of repository === null ? allRepositories(database) : oneRepository(database, repository)) {
    yield {
      name: `${found.namespace}/${found.slug}`,
      deadlineMs: null,
      async run(checkSignal) {
        const counts = await inspectRepository(found, { database, blobs, folder: work.newFolder() }, checkSignal);
        return `${counts.packs} packs, ${counts.bytes} bytes, ${counts.objects} objects, ${counts.refs} refs`;
      },
    };
  }
}

function silentLogger(): Logger {
  return createLogger({ level: "silent", format: "json", destination: process.stderr });
}

/** The configured database, or that of a running standalone, or the one of a stopped standalone, started; null: there is none. */
async function databaseUrl(
  { databaseUrl: configured, dataDir }: Config,
  { stack, ...start }: { readonly stack: AsyncDisposableStack; readonly logger: Logger; readonly signal: AbortSignal },
): Promise<string | null> {
  const url = configured ?? (await findRunningPostgres(dataDir));
  if (url !== null || !(await hasEmbeddedPostgres(dataDir))) return url;
  return stack.use(await startEmbeddedPostgres({ dataDir, ...start })).url;
}

async function checkSchema(database: Database): Promise<void> {
  const problem = await schemaProblem(database);
  if (problem !== null) throw new CoregitError("DatabaseUnsupported", problem);
}

async function checkSeals(database: Database, keys: SealingKeys): Promise<string> {
  if (keys.length === 0) return "none is set; standalone keeps its own in the data dir";
  const { first, older, unreadable } = await countSeals(database, keys);
  const all = first + older + unreadable;
  if (unreadable > 0) {
    throw new CoregitError(
      "CredentialUnreadable",
      `${unreadable} of ${all} secrets are sealed with a key that COREGIT_ENCRYPTION_KEY lacks; put it back into the list.`,
    );
  }
  if (older > 0) return `${older} of ${all} secrets still need a key after the first; a running server seals them anew in time`;
  return keys.length === 1 ? `opens all ${all} secrets` : `the first opens all ${all} secrets; the others can be removed`;
}

async function checkPacks(database: Database): Promise<string> {
  const { packs, count } = await listDamagedPacks(database, TOLD_PACKS);
  if (count === 0) return "none is known to be damaged";
  const told = packs.map(({ id, namespace, slug, damage }) => `${id} of ${namespace}/${slug}: ${damage}`);
  throw new CoregitError("StorageCorrupt", `${count} are damaged. ${told.join(" ")} docs/storage.md says what to do.`);
}

async function* allRepositories(database: Database): AsyncGenerator<RepositoryName> {
  for (let after: RepositoryName | null = null; ; ) {
    const page: readonly RepositoryName[] = await listRepositoriesAfter(database, after, PAGE);
    yield* page;
    after = page.at(-1) ?? null;
    if (after === null) return;
  }
}

async function* oneRepository(database: Database, name: string): AsyncGenerator<RepositoryName> {
  const [slug = "", namespace = DEFAULT_NAMESPACE] = name.split("/").reverse();
  const found = await findRepository(database, namespace, slug);
  if (found === null) throw new CoregitError("RepositoryNotFound", `There is no repository ${namespace}/${slug}.`);
  yield found;
}
