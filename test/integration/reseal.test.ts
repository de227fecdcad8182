// Keys of COREGIT_ENCRYPTION_KEY are rotated while the program runs, in a real database.
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openCredential, sealCredential } from "../../src/db/credential-seal.ts";
import { open, type SealingKeys, seal } from "../../src/db/seal.ts";
import { countSeals, SEALED_COLUMNS } from "../../src/db/sealed-columns.ts";
import { openResealSweep, resealAll } from "../../src/sync/reseal-sweep.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { doctor as runDoctor } from "../support/doctor.ts";
import { silentLogger } from "../support/silent-logger.ts";
import { until } from "../support/until.ts";

const OLD = randomBytes(32);
const NEW = randomBytes(32);
const BOTH: SealingKeys = [NEW, OLD];
const signal = new AbortController().signal;
const credential = (id: string) => ({ kind: "token", token: `secret of ${id}` }) as const;

let world: TestDatabase;
let dataDir = "";
beforeAll(async () => {
  world = await createTestDatabase();
  dataDir = await mkdtemp(join(tmpdir(), "coregit-reseal-"));
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await rm(dataDir, { recursive: true, force: true });
});
beforeEach(() => world.database.query("TRUNCATE connections, webhooks CASCADE"));

async function addConnection(id: string, keys: SealingKeys): Promise<void> {
  await world.database.query(
    `INSERT INTO connections (id, namespace, name, provider, owner_kind, credential, external_username)
     VALUES ($1, 'default', $1, 'github', 'api', $2, 'octocat')`,
    [id, sealCredential(keys, id, credential(id))],
  );
}

async function addWebhook(id: string, connectionId: string, keys: SealingKeys): Promise<void> {
  const secret = seal(keys, { what: "webhook secret", id }, Buffer.from(`whsec of ${id}`));
  await world.database.query(
    `INSERT INTO webhooks (id, sync_id, provider, remote, connection_id, credential, secret)
     VALUES ($1, $1, 'github', 'acme/site', $2, $3, $4)`,
    [id, connectionId, sealCredential(keys, connectionId, credential(connectionId)), secret],
  );
}

async function credentialOf(id: string): Promise<Uint8Array> {
  const { rows } = await world.database.query<{ credential: Uint8Array }>("SELECT credential FROM connections WHERE id = $1", [
    id,
  ]);
  return rows[0]?.credential ?? Buffer.alloc(0);
}

describe("rotation of the key", () => {
  test("seals every secret anew, so that the old key can go, and touches nothing else", async () => {
    for (let count = 0; count < 120; count += 1) await addConnection(`conn_${count}`, [OLD]);
    await addWebhook("hook_1", "conn_gone", [OLD]);
    expect(await countSeals(world.database, BOTH)).toEqual({ first: 0, older: 122, unreadable: 0 });
    expect(await resealAll(world.database, BOTH, signal)).toBe(122);
    expect(await countSeals(world.database, [NEW])).toEqual({ first: 122, older: 0, unreadable: 0 });
    expect(openCredential([NEW], "conn_7", await credentialOf("conn_7"))).toEqual(credential("conn_7"));
    const { rows } = await world.database.query<{ secret: Uint8Array; credential: Uint8Array }>("SELECT * FROM webhooks");
    const [hook] = rows;
    expect(String(open([NEW], { what: "webhook secret", id: "hook_1" }, hook?.secret ?? Buffer.alloc(0)))).toBe(
      "whsec of hook_1",
    );
    expect(openCredential([NEW], "conn_gone", hook?.credential ?? Buffer.alloc(0))).toEqual(credential("conn_gone"));
    const known = await world.database.query("SELECT 1 FROM connections WHERE external_username = 'octocat'");
    expect(known.rowCount).toBe(120);
  });

  test("is done once by two replicas at the same time", async () => {
    for (let count = 0; count < 60; count += 1) await addConnection(`conn_${count}`, [OLD]);
    const counts = await Promise.all([1, 2].map(() => resealAll(world.database, BOTH, signal)));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(60);
    expect(await countSeals(world.database, [NEW])).toEqual({ first: 60, older: 0, unreadable: 0 });
  });

  test("does not take back a credential that was stored meanwhile", async () => {
    await addConnection("conn_1", [OLD]);
    const next = sealCredential([OLD], "conn_1", { kind: "token", token: "replaced" });
    await Promise.all([
      resealAll(world.database, BOTH, signal),
      world.database.query("UPDATE connections SET credential = $1 WHERE id = 'conn_1'", [next]),
    ]);
    expect(openCredential(BOTH, "conn_1", await credentialOf("conn_1"))).toEqual({ kind: "token", token: "replaced" });
  });

  test("leaves alone what no key opens, and goes on with the rest", async () => {
    const lost = randomBytes(32);
    for (let count = 0; count < 55; count += 1) await addConnection(`a_${String(count).padStart(2, "0")}`, [lost]);
    await addConnection("b", [OLD]);
    expect(await resealAll(world.database, BOTH, signal)).toBe(1);
    expect(await countSeals(world.database, BOTH)).toEqual({ first: 1, older: 0, unreadable: 55 });
  });

  test("is done by a running server", async () => {
    await addConnection("conn_1", [OLD]);
    await using _sweep = openResealSweep({ database: world.database, keys: BOTH, logger: silentLogger });
    await until("the credential has the new seal", async () => (await countSeals(world.database, [NEW])).first === 1);
  });
});

test("the doctor tells which keys are still needed, and fails without one that is", async () => {
  await addConnection("conn_1", [OLD]);
  await addConnection("conn_2", [NEW]);
  expect(await doctor(OLD)).toContain(
    "FAIL  encryption key: 1 of 2 secrets are sealed with a key that COREGIT_ENCRYPTION_KEY lacks",
  );
  expect(await doctor(NEW, OLD)).toContain("ok    encryption key: 1 of 2 secrets still need a key after the first");
  await resealAll(world.database, BOTH, signal);
  expect(await doctor(NEW, OLD)).toContain("ok    encryption key: the first opens all 2 secrets; the others can be removed");
}, 60_000);

async function doctor(...keys: readonly Buffer[]): Promise<string> {
  const key = keys.map((bytes) => bytes.toString("base64")).join(",");
  const env = { COREGIT_DATABASE_URL: world.url, COREGIT_DATA_DIR: dataDir, COREGIT_ENCRYPTION_KEY: key };
  return (await runDoctor([], env)).out;
}

test("every column of bytes that is no content is among the sealed ones", async () => {
  const { rows } = await world.database.query<{ place: string }>(
    `SELECT table_name || '.' || column_name AS place FROM information_schema.columns
     WHERE table_schema = 'public' AND data_type = 'bytea' ORDER BY 1`,
  );
  const known = /^(?:api_tokens\.key_sha256|blob_parts\.bytes|packs\.(?:idx|pack)_\w+|sync_points\.remote_object)$/;
  const sealed = SEALED_COLUMNS.map(({ table, column }) => `${table}.${column}`);
  expect(rows.map(({ place }) => place).filter((place) => !known.test(place))).toEqual(sealed.toSorted());
});
