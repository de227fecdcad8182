// The drill of docs/operate/back-up-and-restore.md, step by step: an installation that imports and exports is backed up, goes on, is lost
// with its disks, and is restored over copies of the blob store that are newer and older than the database.
import { randomBytes } from "node:crypto";
import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { newSecrets } from "../support/api-program.ts";
import {
  type BackedUpDatabase,
  findDumpPrograms,
  startArchivedDatabase,
  startDumpedDatabase,
} from "../support/backed-up-database.ts";
import { doctor } from "../support/doctor.ts";
import { freePorts } from "../support/free-ports.ts";
import { git } from "../support/git.ts";
import { startGitHttpServer } from "../support/git-http-server.ts";
import { startProgram } from "../support/running-program.ts";
import { createSourceRepository, type SourceRepository } from "../support/source-repository.ts";
import { until } from "../support/until.ts";

const MAIN = join(import.meta.dirname, "../../src/main.ts");
/** Four starts of a database and two of the program, on a busy machine. */
const DEADLINE_MS = 240_000;
const READY_WITHIN_MS = 60_000;
const LOGIN = { username: "ann", password: "a-password-of-ann" };
const AUTHOR = { name: "Ada", email: "ada@example.com" };

type Way = { readonly name: string; readonly start: () => Promise<BackedUpDatabase> };

const programs = await findDumpPrograms();
/** A dump only where the machine's own PostgreSQL brings the programs for it. */
const WAYS: readonly Way[] = [
  { name: "to a point in time", start: startArchivedDatabase },
  ...(programs === null ? [] : [{ name: "from a dump", start: () => startDumpedDatabase(programs) }]),
];

const secrets = newSecrets();

type Place = { readonly databaseUrl: string; readonly packs: string; readonly dataDir: string };

const environmentOf = ({ databaseUrl, packs, dataDir }: Place) => ({
  COREGIT_DATABASE_URL: databaseUrl,
  COREGIT_BLOB_STORE: `file://${packs}`,
  COREGIT_DATA_DIR: dataDir,
  COREGIT_MASTER_KEY: secrets.key,
  COREGIT_ENCRYPTION_KEY: secrets.encryptionKey,
  COREGIT_ALLOWED_HOSTS: "127.0.0.0/8",
});

type Body = Readonly<Record<string, unknown>>;

/** All roles in one process, as they are run. */
async function startInstallation(place: Place) {
  const [port] = await freePorts(1);
  const logPath = `${place.dataDir}.log`;
  const env = { ...environmentOf(place), COREGIT_LISTEN: `127.0.0.1:${port}` };
  const program = startProgram(process.execPath, { args: [MAIN, "standalone"], logPath, env });
  const url = `http://127.0.0.1:${port}`;
  const isReady = async () => {
    if (program.child.exitCode !== null) throw new Error(`It ended: ${await readFile(logPath, "utf8")}`);
    return await fetch(`${url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  };
  await until("the installation is ready", isReady, READY_WITHIN_MS);
  const ask = async (method: "GET" | "POST", path: string, body?: Body, key = secrets.key) => {
    const headers = { "x-api-key": key, ...(body === undefined ? {} : { "content-type": "application/json" }) };
    const response = await fetch(`${url}/v1${path}`, { method, headers, body: body === undefined ? null : JSON.stringify(body) });
    return { status: response.status, body: (await response.json()) as Body };
  };
  return {
    ask,
    made: async (path: string, body: Body) => {
      const answer = await ask("POST", path, body);
      expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
      return answer.body;
    },
    clone: (slug: string, to: string) =>
      git(["clone", "--quiet", `${url.replace("://", `://any:${secrets.key}@`)}/${slug}.git`, to]),
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

type Installation = Awaited<ReturnType<typeof startInstallation>>;

/** Two repositories: `taken` imports from one remote, `given` exports to another. */
async function declareBoth(
  here: Installation,
  remotes: { readonly base: string; readonly taken: string; readonly given: string },
) {
  const connection = { provider: "git", label: "Drill", base_url: remotes.base, ...LOGIN };
  const { id: connection_id } = await here.made("/connections", connection);
  const declare = async (slug: "taken" | "given", direction: string) => {
    const config = { connection_id, remote: remotes[slug], branch: "main", direction };
    return String((await here.made(`/repos/${slug}/sync/config`, config)).id);
  };
  await here.made("/repos", { slug: "taken" });
  await here.made("/repos", { slug: "given", init: true });
  await commitHere(here, "first.txt");
  return { taken: await declare("taken", "import"), given: await declare("given", "export") };
}

const commitHere = (here: Installation, path: string) =>
  here.made("/repos/given/commits", { branch: "main", message: path, author: AUTHOR, changes: [{ path, content: path }] });

const filesOf = async (remote: SourceRepository) => (await remote.git("ls-tree", "-r", "--name-only", "main")).split("\n");

test.each(WAYS)(
  "what is restored $name is whole, its credentials and tokens work, and its syncs go on without overwriting anything",
  async ({ start }) => {
    await using stack = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), "coregit-drill-"));
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    const at = (name: string) => join(folder, name);
    const database = stack.use(await start());
    const [source, target] = [stack.use(await createSourceRepository()), stack.use(await createSourceRepository())];
    const server = stack.use(await startGitHttpServer({ root: dirname(source.path), basicAuth: LOGIN }));
    const remotes = { base: server.url, taken: source.path.split("/").at(-1) ?? "", given: target.path.split("/").at(-1) ?? "" };
    // More than what stays in a row.
    await source.commit({ "large.bin": randomBytes(200_000), "kept.txt": "kept\n" });

    const state = await (async () => {
      await using here = await startInstallation({ databaseUrl: database.url, packs: at("packs"), dataDir: at("lost") });
      await cp(at("packs"), at("older"), { recursive: true });
      const syncs = await declareBoth(here, remotes);
      const sync = (slug: "taken" | "given") => here.made(`/repos/${slug}/sync`, { sync_id: syncs[slug] });
      await sync("taken");
      await sync("given");
      const { token } = await here.made("/tokens", { name: "kept", scopes: { "repos:*": ["read"] } });
      const { body: taken } = await here.ask("GET", "/repos/taken");

      await database.backUp();

      await source.commit({ "late.bin": randomBytes(200_000) });
      expect(await sync("taken")).toMatchObject({ synced: true, files_changed: 1 });
      await commitHere(here, "late.txt");
      expect(await sync("given")).toMatchObject({ synced: true });
      const { token: late } = await here.made("/tokens", { name: "late", scopes: { "repos:*": ["read"] } });
      await cp(at("packs"), at("newer"), { recursive: true });
      return { syncs, taken, token: String(token), late: String(late), exported: await target.head() };
    })();
    await rm(at("packs"), { recursive: true });
    await rm(at("lost"), { recursive: true });
    const databaseUrl = await database.restore();

    const place = { databaseUrl, packs: at("newer"), dataDir: at("restored") };
    const [older, newer] = await Promise.all([
      doctor(["--deep"], environmentOf({ ...place, packs: at("older"), dataDir: at("elsewhere") })),
      doctor(["--deep"], environmentOf(place)),
    ]);
    expect(older.out).toMatch(/^FAIL {2}default\/taken: Damaged packs: pack_\w+ \(its (?:data|index) is missing\)/m);
    expect(older.out).toMatch(/^ok {4}default\/given: /m);
    expect(older.code).toBe(1);
    expect(newer.out).toMatch(/^ok {4}encryption key: opens all [1-9]\d* secrets$/m);
    expect(newer.out).toMatch(/^ok {4}default\/taken: /m);
    expect(newer.code).toBe(0);

    await using here = await startInstallation(place);
    const { syncs } = state;
    expect((await here.ask("GET", "/repos/taken", undefined, state.token)).status).toBe(200);
    expect((await here.ask("GET", "/repos/taken", undefined, state.late)).status).toBe(401);
    expect((await here.ask("GET", "/repos/taken")).body.head_sha).toBe(state.taken.head_sha);

    const taken = await here.made("/repos/taken/sync", { sync_id: syncs.taken });
    expect(taken).toMatchObject({ synced: true, remote_sha: await source.head(), files_changed: 1, deleted: 0 });
    await here.clone("taken", at("clone"));
    expect(await git(["-C", at("clone"), "rev-parse", "HEAD^{tree}"])).toBe(await source.tree());
    expect((await readdir(at("clone"))).toSorted()).toEqual([".git", "kept.txt", "large.bin", "late.bin"]);
    await git(["-C", at("clone"), "fsck", "--full", "--strict"]);

    expect(await here.made("/repos/given/sync", { sync_id: syncs.given })).toMatchObject({ synced: false, commit_sha: null });
    expect(await target.head()).toBe(state.exported);
    await commitHere(here, "next.txt");
    expect(await here.made("/repos/given/sync", { sync_id: syncs.given })).toMatchObject({ synced: true, files_changed: 1 });
    expect(await target.git("rev-parse", "main^")).toBe(state.exported);
    expect(await filesOf(target)).toEqual(["README.md", "first.txt", "late.txt", "next.txt"]);
  },
  DEADLINE_MS,
);
