// Schema-valid nonsense into a real API server with operator and engine at work: whatever is stored is judged with a reason, and
// nothing that somebody writes makes another one's resources wait, or the operator repeat itself. COREGIT_FAULT_RUNS sets how
// many objects (60).
import { afterAll, beforeAll, expect, test } from "vitest";
import { ERROR_CODES, type ErrorCode, retryKind } from "../../src/domain/errors.ts";
import { KubeApiError } from "../../src/kube/api-error.ts";
import { LEASE_TIMING } from "../../src/kube/leader-lease.ts";
import type { KubeObject } from "../../src/kube/object.ts";
import { SECRET } from "../../src/operator/kinds.ts";
import { structuralSchema } from "../../src/resources/crd.ts";
import { KINDS, type KindName } from "../../src/resources/kinds.ts";
import type { Engine } from "../../src/sync/engine.ts";
import { conditionOf, readyOf } from "../support/cluster.ts";
import type { GitHttpServer } from "../support/git-http-server.ts";
import { kindOf, type OperatorHarness, startOperatorHarness } from "../support/operator-harness.ts";
import { createRecordedLogger, type RecordedLogger } from "../support/recorded-logger.ts";
import { nonsense, pick } from "../support/schema-nonsense.ts";
import { announceSeed, seededRandom } from "../support/seeded-random.ts";
import { createSourceRepository, type SourceRepository } from "../support/source-repository.ts";
import { serveSource } from "../support/test-remotes.ts";
import { until } from "../support/until.ts";

const OBJECTS = Number(process.env.COREGIT_FAULT_RUNS ?? 60);
/** Reconciles that an object may cost: it is made, changed once, its run begins and ends, twice, and each may be seen anew. */
const RECONCILES_EACH = 15;
const AT_ONCE = 8;

let harness: OperatorHarness;
let engine: Engine;
let source: SourceRepository;
let server: GitHttpServer & { readonly remoteUrl: string };
let logger: RecordedLogger;
/** Of the engine, to which a run that fails is everyday life, and only a defect an error. */
let runsLogger: RecordedLogger;

beforeAll(async () => {
  source = await createSourceRepository();
  await source.commit({ "README.md": "Hello\n", "docs/a.md": "A\n" });
  server = await serveSource(source);
  logger = createRecordedLogger();
  harness = await startOperatorHarness({ logger, leaseTiming: LEASE_TIMING });
  runsLogger = createRecordedLogger();
  engine = await harness.world.startEngine({ logger: runsLogger });
});

afterAll(async () => {
  await harness[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await source[Symbol.asyncDispose]();
});

/** URLs by which nothing outside this machine is asked: addresses, not names. */
function addresses(): readonly string[] {
  const { remoteUrl, url } = server;
  return [
    remoteUrl,
    remoteUrl,
    remoteUrl,
    `${url}/nothing`,
    `${url}/%2e%2e/x`,
    `${url}/💣`,
    `${url}/${"a/".repeat(200)}`,
    url,
    "http://127.0.0.1:1/a.git",
    "http://10.255.255.1/a",
    "http://[::1]:1/a",
    "http://0x7f.1:1/a",
    "http://169.254.169.254/latest",
    "a/b",
    "a",
    "group/sub/project",
  ];
}

type Made = { readonly kind: KindName; readonly name: string };

const isRefusal = (error: unknown): boolean => error instanceof KubeApiError && (error.status === 422 || error.status === 400);

/** What the API server refuses is not our business; answers whether it took it. */
async function isTaken(write: Promise<unknown>): Promise<boolean> {
  return await write.then(
    () => true,
    (error: unknown) => {
      if (isRefusal(error)) return false;
      throw error;
    },
  );
}

/** Whether a person who looks is told how things stand, once and for all or until time cures it. */
function isJudged(object: KubeObject): boolean {
  const { observedGeneration } = (object.status ?? {}) as { readonly observedGeneration?: number };
  const { status, reason = "" } = readyOf(object);
  if (observedGeneration !== object.metadata.generation || status === undefined || reason === "Progressing") return false;
  if (status === "True" || reason === "Suspended") return true;
  // A defect is no judgement.
  if (!Object.hasOwn(ERROR_CODES, reason) || reason === "Internal") return false;
  const expected = retryKind(reason as ErrorCode) === "terminal" ? "Stalled" : "Reconciling";
  return conditionOf(object, expected)?.status === "True";
}

async function unjudged(): Promise<string[]> {
  const found: string[] = [];
  for (const kind of Object.keys(KINDS) as KindName[]) {
    await harness.cluster.api.list(kindOf(kind), harness.namespace, (page) => {
      for (const object of page) {
        if (!isJudged(object)) found.push(`${kind} ${JSON.stringify({ spec: object.spec, status: object.status })}`);
      }
    });
  }
  return found;
}

async function makeObjects(random: () => number): Promise<Made[]> {
  const schemas = Object.fromEntries(Object.entries(KINDS).map(([kind, { spec }]) => [kind, structuralSchema(spec)]));
  const options = { random, addresses: addresses() };
  const specOf = (kind: KindName) => nonsense(schemas[kind] ?? {}, options) as object;
  const made: Made[] = [];
  let tries = 0;
  const makeOne = async (): Promise<void> => {
    tries += 1;
    const kind = pick(random, ["RepoSync", "RepoSync", "RepoSync", "Connection", "Repository"] as const);
    const name = `n${tries}`;
    const annotations =
      random() < 0.1 ? { "coregit.dev/requestedAt": pick(random, ["", "a\u0000b", "💣".repeat(500), "x".repeat(9999)]) } : {};
    const specs = [specOf(kind), specOf(kind)] as const;
    if (!(await isTaken(harness.create(kind, name, specs[0], { annotations })))) return;
    made.push({ kind, name });
    await isTaken(harness.patch(kind, name, { spec: specs[1] }));
  };
  while (made.length < OBJECTS && tries < OBJECTS * 40) await Promise.all(Array.from({ length: AT_ONCE }, makeOne));
  return made;
}

test(`${OBJECTS} objects of schema-valid nonsense each end with a reason, and the operator is none the worse for it`, async () => {
  const random = seededRandom(announceSeed());
  const secrets = { a: { token: "t" }, constructor: { username: "u" }, "0": {} };
  for (const [name, stringData] of Object.entries(secrets)) {
    await harness.cluster.api.create(SECRET, harness.namespace, { metadata: { name }, stringData });
  }
  const made = await makeObjects(random);
  expect(made.length).toBeGreaterThanOrEqual(OBJECTS);
  let left: string[] = [];
  await until(
    "every object is judged",
    async () => {
      left = await unjudged();
      return left.length === 0;
    },
    20_000 + made.length * 300,
  ).catch((error: unknown) => {
    throw new Error(`${left.length} are not judged: ${left.slice(0, 5).join("\n")}`, { cause: error });
  });
  expect(await harness.brokenInvariants()).toEqual([]);
  const failed = [
    ...logger.lines.filter(({ level, fields }) => level === "error" || (fields.error !== undefined && !isConflict(fields.error))),
    ...runsLogger.lines.filter(({ level }) => level === "error"),
  ];
  expect(failed.map(({ message, fields }) => `${message} ${String(fields.error ?? fields.err)}`)).toEqual([]);
  expect(harness.reconciles).toBeLessThan(made.length * RECONCILES_EACH);

  await harness.create("RepoSync", "sane", { remote: server.remoteUrl, interval: "0s" });
  await harness.untilReady("RepoSync", "sane", "True", "Synced");
  await inParallel(made, ({ kind, name }) => harness.delete(kind, name));
  for (const { kind, name } of made) await harness.untilGone(kind, name);
  await engine.drain();
  const { rows } = await harness.world.database.query<{ name: string }>(
    "SELECT name FROM syncs UNION ALL SELECT name FROM connections",
  );
  expect(rows.map(({ name }) => name)).toEqual(["sane"]);
});

/** As many at once as were made at once. */
async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const left = items.values();
  const workOff = async (): Promise<void> => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, workOff));
}

/** Somebody wrote the object in between: everyday life, and repeated at once. */
const isConflict = (error: unknown): boolean => error instanceof KubeApiError && error.status === 409;
