// kill -9 of API replicas at random instants under commits, pushes and deletions. Two replicas run; when one is killed, every
// writer goes on at once with the other. What was acknowledged is written down here, outside of them, and compared with
// what the host has. COREGIT_FAULT_RUNS sets how often (6).
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect, it } from "vitest";
import { OperationLog } from "../support/acknowledged-operations.ts";
import { newSecrets } from "../support/api-program.ts";
import { ApiReplica } from "../support/api-replica.ts";
import { casWriter, commitWriter, deletionWriter, pushWriter, type Writer } from "../support/api-writers.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { expectCleanRepository } from "../support/fsck.ts";
import { git } from "../support/git.ts";
import { checkHost } from "../support/host-findings.ts";
import { commandsNaming } from "../support/running-commands.ts";
import { announceSeed, seededRandom } from "../support/seeded-random.ts";
import { createSourceRepository } from "../support/source-repository.ts";
import { until } from "../support/until.ts";

const KILLS = Number(process.env.COREGIT_FAULT_RUNS ?? 6);
/** A new repository after each so many, so that what a check costs stays the same. */
const KILLS_A_ROUND = 12;
/** A kill with the start after it takes 2 s, on a busy machine 10 s; a check as long. */
const TIMEOUT_MS = KILLS * 15_000 + 60_000;
/** A push takes about half of it. */
const LONGEST_LIFE_MS = 400;

type World = {
  readonly test: TestDatabase;
  readonly replicas: readonly [ApiReplica, ApiReplica];
  readonly key: string;
  readonly folder: string;
  readonly random: () => number;
};

type Totals = { kills: number; midWork: number; acknowledged: number; cutOff: number; cutOffPresent: number };

it(`${KILLS} kills of API replicas lose, double and tear nothing`, { timeout: TIMEOUT_MS }, async () => {
  const random = seededRandom(announceSeed());
  await using stack = new AsyncDisposableStack();
  const test = stack.use(await createTestDatabase());
  const folder = await mkdtemp(join(tmpdir(), "coregit-kill-api-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const secrets = newSecrets();
  const replica = (name: string) =>
    stack.use(new ApiReplica({ ...secrets, databaseUrl: test.url, sharedDir: folder, dataDir: join(folder, name) }));
  const replicas = [replica("first"), replica("second")] as const;
  for (const one of replicas) await one.start();
  const world = { test, replicas, key: secrets.key, folder, random };

  const totals = { kills: 0, midWork: 0, acknowledged: 0, cutOff: 0, cutOffPresent: 0 };
  for (let round = 1; totals.kills < KILLS; round += 1) {
    await killInOneRepository(world, `round-${round}`, totals);
    process.stdout.write(
      `${totals.kills} kills (${totals.midWork} amid unfinished work): ${totals.acknowledged} acknowledged, ` +
        `${totals.cutOff} cut off (${totals.cutOffPresent} of them there), 0 lost, 0 doubled, 0 torn, 0 stuck\n`,
    );
  }
  for (const one of replicas) {
    await one[Symbol.asyncDispose]();
    const { cacheDir } = one;
    await until("every git of the killed processes has ended", async () => (await commandsNaming(cacheDir)).length === 0, 5_000);
  }
});

async function killInOneRepository(world: World, slug: string, totals: Totals): Promise<void> {
  const { test, replicas, random } = world;
  await using stack = new AsyncDisposableStack();
  await test.database.query("INSERT INTO repositories (id, namespace, slug) VALUES ($1, 'default', $1)", [slug]);
  const log = new OperationLog();
  const writers = await openWriters(world, { slug, log, stack });
  for (let kill = 0; kill < KILLS_A_ROUND && totals.kills < KILLS; kill += 1) {
    const victim = replicas[random() < 0.5 ? 0 : 1];
    const survivor = victim === replicas[0] ? replicas[1] : replicas[0];
    await killAmidWork(victim, { writers, log, replicas, random });
    totals.kills += 1;
    const ofKilled = await victim.unfinished();
    if ([...ofKilled.values()].some((pieces) => pieces.length > 0)) totals.midWork += 1;
    // At once: neither a lock nor a ref that the killed one held up keeps anybody waiting.
    const goOn = writers.map((writer) => write(writer, survivor, log));
    await Promise.all([...goOn, victim.start()]);
    // The folder of the process that started may hold pieces already: its upkeep works without being asked.
    const folders = [...(await victim.unfinished()).keys()];
    const left = folders.filter((name) => ofKilled.has(name));
    expect({ slug, left, folders: folders.length }, "a start removes what the killed process left, and makes its own").toEqual({
      slug,
      left: [],
      folders: 1,
    });
  }
  totals.cutOffPresent += await expectTruth(world, slug, log);
  totals.acknowledged += log.acknowledged;
  totals.cutOff += log.cutOff;
}

async function openWriters(
  { key, random }: World,
  { slug, log, stack }: { readonly slug: string; readonly log: OperationLog; readonly stack: AsyncDisposableStack },
): Promise<readonly Writer[]> {
  const context = (name: string) => ({ slug, key, log, name, random: seededRandom(random() * 2 ** 31) });
  const source = async () => stack.use(await createSourceRepository());
  return [
    commitWriter(context("first"), "main"),
    commitWriter(context("second"), "main"),
    casWriter(context("cas"), "cas"),
    pushWriter(context("atomic"), await source(), { isAtomic: true }),
    pushWriter(context("single"), await source(), { isAtomic: false }),
    deletionWriter(context("fleeting"), await source()),
  ];
}

type Traffic = {
  readonly writers: readonly Writer[];
  readonly log: OperationLog;
  readonly replicas: readonly [ApiReplica, ApiReplica];
  readonly random: () => number;
};

/** All writers write to both replicas until one is killed. */
async function killAmidWork(victim: ApiReplica, { writers, log, replicas, random }: Traffic): Promise<void> {
  let isOver = false;
  const running = writers.map(async (writer, index) => {
    for (let turn = index; !isOver; turn += 1) await write(writer, replicas[turn % 2 === 0 ? 0 : 1], log);
  });
  await pause(random() * LONGEST_LIFE_MS);
  isOver = true;
  await victim.kill();
  await Promise.all(running);
}

async function write(writer: Writer, target: ApiReplica, log: OperationLog): Promise<void> {
  try {
    await writer(target.life);
  } catch (error) {
    log.stuck.push(String(error));
  }
}

/** Gives how many of the operations that were cut off are there. */
async function expectTruth({ test, replicas, key, folder }: World, slug: string, log: OperationLog): Promise<number> {
  const { database } = test;
  const mirror = join(folder, `${slug}.git`);
  await git(["clone", "--quiet", "--mirror", `${replicas[0].url.replace("://", `://any:${key}@`)}/${slug}.git`, mirror]);
  await expectCleanRepository(mirror);
  const readIndex = (packId: string) => readFile(join(folder, "packs", slug, `${packId}.idx`));
  const { findings, cutOffPresent } = await checkHost({ database, repositoryId: slug, mirror, log, readIndex });
  expect({ slug, stuck: log.stuck, ...findings }).toEqual({ slug, stuck: [], lost: [], doubled: [], torn: [], broken: [] });
  expect(log.acknowledged, "a round in which nothing is acknowledged proves nothing").toBeGreaterThan(0);
  await until("no transaction of a killed process is open", async () => (await openTransactions(database)) === 0, 5_000);
  await rm(mirror, { recursive: true, force: true });
  return cutOffPresent;
}

async function openTransactions(database: TestDatabase["database"]): Promise<number> {
  const sql = `SELECT 1 FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL`;
  return (await database.query(sql)).rowCount;
}
