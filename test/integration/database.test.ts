// The port to PostgreSQL over a real server: values, transactions, and a server that goes away under it.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Database } from "../../src/db/database.ts";
import { connectPostgres } from "../../src/db/postgres.ts";
import { startEmbeddedPostgres } from "../../src/standalone/embedded-postgres.ts";
import { countWaiting } from "../support/count-waiting.ts";
import { createTestDatabase } from "../support/database.ts";
import { silentLogger } from "../support/silent-logger.ts";
import { startStallableProxy } from "../support/stallable-proxy.ts";
import { until } from "../support/until.ts";

const CHANNEL = "coregit_test";

describe("values", () => {
  test("bigint is a number, bytea bytes, timestamptz a Date or infinity", async () => {
    await using db = await createTestDatabase();
    const bytes = Uint8Array.from([0, 1, 254, 255]);
    const { rows, rowCount } = await db.database.query(
      "SELECT count(*) AS count, $1::bytea AS bytes, 'infinity'::timestamptz AS never, to_timestamp(0) AS epoch FROM refs",
      [bytes],
    );
    expect(rowCount).toBe(1);
    expect(rows).toEqual([{ count: 0, bytes: Buffer.from(bytes), never: Number.POSITIVE_INFINITY, epoch: new Date(0) }]);
  });

  test("a bigint that no number can hold is an error and not another number", async () => {
    await using db = await createTestDatabase();
    await expect(db.database.query("SELECT 9007199254740993::bigint AS big")).rejects.toThrow(RangeError);
    expect((await db.database.query("SELECT 9007199254740991::bigint AS big")).rows).toEqual([{ big: Number.MAX_SAFE_INTEGER }]);
  });
});

describe("a statement for itself", () => {
  test("that waits for whoever waits for it comes after them", async () => {
    await using db = await databaseWithNotes();
    const { database } = db;
    await database.query("INSERT INTO notes VALUES (1), (2)");
    let statement: Promise<unknown> = Promise.resolve();
    await database.transaction(async (tx) => {
      // The server ends the one that is first to look for a deadlock: not this one.
      await tx.query("SET LOCAL deadlock_timeout = '1h'");
      await tx.query("DELETE FROM notes WHERE id = 2");
      // It locks the first row, then waits for the second.
      statement = database.query("UPDATE notes SET id = id + 10 WHERE id IN (1, 2)");
      await until("the statement waits", async () => (await countWaiting(database)) === 1);
      await tx.query("UPDATE notes SET id = 5 WHERE id = 1");
    });
    expect(await statement).toMatchObject({ rowCount: 0 });
    expect(await notes(database)).toEqual([5]);
  });
});

describe("a transaction", () => {
  test("makes everything in it visible, and nothing when it throws", async () => {
    await using db = await databaseWithNotes();
    await db.database.transaction((tx) => tx.query("INSERT INTO notes VALUES (1)"));
    const failing = db.database.transaction(async (tx) => {
      await tx.query("INSERT INTO notes VALUES (2)");
      throw new Error("Changed my mind.");
    });
    await expect(failing).rejects.toThrow("Changed my mind.");
    expect(await notes(db.database)).toEqual([1]);
  });

  test("passes the server's refusal on with its SQLSTATE and keeps the connection", async () => {
    await using db = await databaseWithNotes();
    const backend = () => db.database.query("SELECT pg_backend_pid() AS pid").then(({ rows }) => rows[0]?.pid);
    const before = await backend();
    await db.database.query("INSERT INTO notes VALUES (1)");
    const refused = { code: "23505" };
    await expect(db.database.query("INSERT INTO notes VALUES (1)")).rejects.toMatchObject(refused);
    await expect(db.database.transaction((tx) => tx.query("INSERT INTO notes VALUES (1)"))).rejects.toMatchObject(refused);
    expect(await backend()).toBe(before);
  });

  test("does not succeed when the failure of a statement in it was ignored", async () => {
    await using db = await databaseWithNotes();
    const careless = db.database.transaction(async (tx) => {
      await tx.query("INSERT INTO notes VALUES (1)");
      await tx.query("SELECT 1/0").catch(() => undefined);
    });
    await expect(careless).rejects.toMatchObject({ code: "Internal" });
    expect(await notes(db.database)).toEqual([]);
  });

  test("takes no statement after its end", async () => {
    await using db = await databaseWithNotes();
    const kept = await db.database.transaction(async (tx) => tx);
    await expect(kept.query("INSERT INTO notes VALUES (1)")).rejects.toMatchObject({ code: "Internal" });
    expect(await notes(db.database)).toEqual([]);
  });

  test("that loses its connection is DatabaseUnavailable, and the next one has a connection that works", async () => {
    await using db = await databaseWithNotes();
    const cut = db.database.transaction(async (tx) => {
      const { rows } = await tx.query("INSERT INTO notes VALUES (1) RETURNING pg_backend_pid() AS pid");
      await db.database.query("SELECT pg_terminate_backend($1, 10000)", [rows[0]?.pid]);
      await tx.query("SELECT 1");
    });
    await expect(cut).rejects.toMatchObject({ code: "DatabaseUnavailable" });
    await db.database.transaction((tx) => tx.query("INSERT INTO notes VALUES (2)"));
    expect(await notes(db.database)).toEqual([2]);
  });
});

describe("a server that goes away", () => {
  test("is DatabaseUnavailable while it is away, and everything works again when it is back", async () => {
    await using server = await startOwnServer();
    await using db = await connectPostgres({ url: server.url, logger: silentLogger });
    await Promise.all(Array.from({ length: 5 }, () => db.query("SELECT pg_sleep(0.05)")));
    const messages: string[] = [];
    let gaps = 0;
    await using _listening = await db.listen(CHANNEL, {
      onMessage: (payload) => messages.push(payload),
      onGap: () => (gaps += 1),
    });
    const cut = expect(db.query("SELECT pg_sleep(60)")).rejects.toMatchObject({ code: "DatabaseUnavailable" });
    await until("the statement runs", async () => (await running(db)) === 1);
    process.kill(await server.pid(), "SIGKILL");
    await cut;
    await until("the server is back", () => db.isReachable(1_000));
    await until("the listener is back", () => gaps === 1);
    await db.query("SELECT pg_notify($1, 'after')", [CHANNEL]);
    await until("the notification arrives", () => messages.length === 1);
    expect(messages).toEqual(["after"]);
  });

  test("is told apart at once when nothing listens there", async () => {
    const url = "postgres://nobody:secret-word@127.0.0.1:1/none";
    const refused = connectPostgres({ url, logger: silentLogger });
    await expect(refused).rejects.toMatchObject({
      code: "DatabaseUnavailable",
      message: "The database cannot be reached (ECONNREFUSED).",
    });
  });

  test("is not reachable after disposal, and no statement is taken", async () => {
    await using db = await createTestDatabase();
    await using other = await connectPostgres({ url: db.url, logger: silentLogger });
    await other[Symbol.asyncDispose]();
    await expect(other.query("SELECT 1")).rejects.toMatchObject({ code: "DatabaseUnavailable" });
    await expect(other.listen(CHANNEL, { onMessage: () => undefined, onGap: () => undefined })).rejects.toMatchObject({
      code: "DatabaseUnavailable",
    });
  });
});

describe("notifications", () => {
  test("reach all listeners of their channel and no others, until they are disposed", async () => {
    await using db = await createTestDatabase();
    const heard: string[] = [];
    const listen = (channel: string, name: string) =>
      db.database.listen(channel, { onMessage: (payload) => heard.push(`${name} ${payload}`), onGap: () => undefined });
    await using _first = await listen(CHANNEL, "first");
    const second = await listen(CHANNEL, "second");
    await using _other = await listen("coregit_other", "other");
    await db.database.query("SELECT pg_notify($1, 'one')", [CHANNEL]);
    await until("both hear", () => heard.length === 2);
    await second[Symbol.asyncDispose]();
    await db.database.query("SELECT pg_notify($1, 'two')", [CHANNEL]);
    await db.database.query("SELECT pg_notify('coregit_other', 'three')");
    await until("the last is heard", () => heard.includes("other three"));
    expect(heard).toEqual(["first one", "second one", "first two", "other three"]);
  });

  test("come again after a connection that fell silent without closing", async () => {
    await using db = await createTestDatabase();
    const { hostname, port } = new URL(db.url);
    await using proxy = await startStallableProxy({ host: hostname, port: Number(port) });
    const url = new URL(db.url);
    url.host = `127.0.0.1:${proxy.port}`;
    await using remote = await connectPostgres({ url: url.href, logger: silentLogger, listenerCheckIntervalMs: 100 });
    const messages: string[] = [];
    let gaps = 0;
    await using _listening = await remote.listen(CHANNEL, {
      onMessage: (payload) => messages.push(payload),
      onGap: () => (gaps += 1),
    });
    proxy.stall();
    await until("the silence is noticed", () => gaps === 1, 20_000);
    await db.database.query("SELECT pg_notify($1, 'after')", [CHANNEL]);
    await until("the notification arrives", () => messages.includes("after"));
  });
});

async function databaseWithNotes() {
  const db = await createTestDatabase();
  await db.database.query("CREATE TABLE notes (id integer PRIMARY KEY)");
  return db;
}

async function notes(db: Database): Promise<unknown[]> {
  return (await db.query("SELECT id FROM notes ORDER BY id")).rows.map(({ id }) => id);
}

/** Statements under way other than the one that asks. */
async function running(db: Database): Promise<unknown> {
  const sql = "SELECT count(*) AS count FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT pg_sleep(60)%'";
  return (await db.query(sql)).rows[0]?.count;
}

async function startOwnServer() {
  const dataDir = await mkdtemp(join(tmpdir(), "coregit-test-server-"));
  const server = await startEmbeddedPostgres({
    dataDir,
    logger: silentLogger,
    signal: AbortSignal.timeout(60_000),
    durable: false,
  });
  return {
    url: server.url,
    pid: async () => Number.parseInt(await readFile(join(dataDir, "postgres", "postmaster.pid"), "utf8"), 10),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
