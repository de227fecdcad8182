// The standalone's database over real processes: killed programs, killed servers, and whatever they leave behind.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { connectPostgres } from "../../src/db/postgres.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../src/standalone/embedded-postgres.ts";
import { startChildProgram } from "../support/child-program.ts";
import { silentLogger } from "../support/silent-logger.ts";
import { until } from "../support/until.ts";

const HOLDER = "hold-embedded-postgres.ts";

test("keeps its data over a restart", async () => {
  await using folder = await temporaryFolder();
  await using first = await start(folder.path);
  await run(first.url, "CREATE TABLE kept AS SELECT 42 AS answer");
  await first[Symbol.asyncDispose]();
  await using second = await start(folder.path);
  expect(await run(second.url, "SELECT answer FROM kept")).toEqual([{ answer: 42 }]);
});

test("listens on loopback only, asks for the password, and keeps that to its owner", async () => {
  await using folder = await temporaryFolder();
  await using server = await start(folder.path);
  const { mode } = await stat(join(folder.path, "postgres-password"));
  expect(mode & 0o777).toBe(0o600);
  expect(await run(server.url, "SELECT current_setting('listen_addresses') AS a, current_setting('fsync') AS f")).toEqual([
    { a: "127.0.0.1", f: "on" },
  ]);
  const url = new URL(server.url);
  url.password = "wrong";
  await expect(run(url.href, "SELECT 1")).rejects.toMatchObject({ code: "DatabaseUnavailable" });
});

test("has the server's own C.UTF-8 as locale, whatever the machine has", async () => {
  await using folder = await temporaryFolder();
  await using server = await start(folder.path);
  expect(await run(server.url, "SELECT upper('äß') AS u, 'Z' < 'a' AS byte_order")).toEqual([{ u: "Äß", byte_order: true }]);
});

test("takes over the server that a killed program left running, with all that was committed", async () => {
  await using folder = await temporaryFolder();
  await using holder = startChildProgram(HOLDER, [folder.path]);
  const url = await holder.firstLine;
  await run(url, "CREATE TABLE committed AS SELECT 1 AS one");
  await holder.end("SIGKILL");
  expect(await run(url, "SELECT one FROM committed")).toEqual([{ one: 1 }]);
  await using server = await start(folder.path);
  expect(server.url).toBe(url);
  await server[Symbol.asyncDispose]();
  await expect(run(url, "SELECT 1")).rejects.toMatchObject({ code: "DatabaseUnavailable" });
  expect(await readdir(join(folder.path, "postgres"))).not.toContain("postmaster.pid");
});

test("ends its server when the program is asked to end", async () => {
  await using folder = await temporaryFolder();
  await using holder = startChildProgram(HOLDER, [folder.path]);
  const url = await holder.firstLine;
  await holder.end("SIGTERM");
  expect(await holder.exitCode).toBe(0);
  await expect(run(url, "SELECT 1")).rejects.toMatchObject({ code: "DatabaseUnavailable" });
});

test("lets one of two programs have a data directory and tells the other in a sentence", async () => {
  await using folder = await temporaryFolder();
  await using one = startChildProgram(HOLDER, [folder.path]);
  await using other = startChildProgram(HOLDER, [folder.path]);
  const results = await Promise.allSettled([one.firstLine, other.firstLine]);
  const refusals = results.filter((result) => result.status === "rejected").map(({ reason }) => String(reason));
  expect(refusals).toEqual([`Error: Another coregit is running on the data directory ${folder.path}.\n`]);
  await one.end("SIGTERM");
  await other.end("SIGTERM");
});

test("recovers when program and server were killed, and the server's process id is another program's by now", async () => {
  await using folder = await temporaryFolder();
  await using holder = startChildProgram(HOLDER, [folder.path]);
  const url = await holder.firstLine;
  await run(url, "CREATE TABLE committed AS SELECT 1 AS one");
  await holder.end("SIGKILL");
  process.kill(await serverPid(folder.path), "SIGKILL");
  await until("the server is gone", async () => (await run(url, "SELECT 1").catch(() => null)) === null);
  const stranger = spawn("sleep", ["60"]);
  await once(stranger, "spawn");
  try {
    const lines = (await readFile(pidFile(folder.path), "utf8")).split("\n");
    await writeFile(pidFile(folder.path), [stranger.pid, ...lines.slice(1)].join("\n"));
    await using server = await start(folder.path);
    expect(await run(server.url, "SELECT one FROM committed")).toEqual([{ one: 1 }]);
  } finally {
    stranger.kill();
  }
});

test("starts the server again under the same URL when that alone was killed", async () => {
  await using folder = await temporaryFolder();
  await using server = await start(folder.path);
  await run(server.url, "CREATE TABLE committed AS SELECT 1 AS one");
  const killed = await serverPid(folder.path);
  process.kill(killed, "SIGKILL");
  await until("another server is there", async () => (await serverPid(folder.path).catch(() => killed)) !== killed);
  await until("it answers", async () => (await run(server.url, "SELECT one FROM committed").catch(() => [])).length === 1);
});

test("starts over when a program was killed while it initialised", async () => {
  await using folder = await temporaryFolder();
  await using holder = startChildProgram(HOLDER, [folder.path]);
  await until("initdb is at work", async () => (await readdir(folder.path)).some((name) => name.startsWith("postgres.new-")));
  await holder.end("SIGKILL");
  await using server = await start(folder.path);
  expect(await run(server.url, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
  expect((await readdir(folder.path)).sort()).toEqual(["postgres", "postgres-password", "postgres.log"]);
});

test("refuses data of another major version", async () => {
  await using folder = await temporaryFolder();
  await mkdir(join(folder.path, "postgres"));
  await writeFile(join(folder.path, "postgres", "PG_VERSION"), "9\n");
  await expect(start(folder.path)).rejects.toMatchObject({ code: "DatabaseUnsupported" });
});

test("an abort ends a start that is under way and leaves nothing running", async () => {
  await using folder = await temporaryFolder();
  const abort = new AbortController();
  const starting = startEmbeddedPostgres({ dataDir: folder.path, logger: silentLogger, signal: abort.signal });
  const refused = expect(starting).rejects.toThrow("No longer wanted.");
  await until("initdb is at work", async () => (await readdir(folder.path)).some((name) => name.startsWith("postgres.new-")));
  abort.abort(new Error("No longer wanted."));
  await refused;
  expect(await readdir(folder.path)).not.toContain("postgres");
});

async function start(dataDir: string): Promise<EmbeddedPostgres> {
  return await startEmbeddedPostgres({ dataDir, logger: silentLogger, signal: AbortSignal.timeout(60_000) });
}

function pidFile(dataDir: string): string {
  return join(dataDir, "postgres", "postmaster.pid");
}

async function serverPid(dataDir: string): Promise<number> {
  return Number.parseInt(await readFile(pidFile(dataDir), "utf8"), 10);
}

async function run(url: string, sql: string): Promise<unknown[]> {
  await using db = await connectPostgres({ url, logger: silentLogger, maxConnections: 1 });
  return (await db.query(sql)).rows;
}

async function temporaryFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "coregit-test-embedded-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
