// A folder of manifests against real rows: what is written, changed, broken and removed in it shows in the database.
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readConnection } from "../../src/db/connections.ts";
import { openCredential } from "../../src/db/credential-seal.ts";
import type { RepositoryStore } from "../../src/repositories/store.ts";
import { announceInstance } from "../../src/standalone/instance-file.ts";
import { describeProblem } from "../../src/standalone/manifest.ts";
import { type Manifests, openManifests } from "../../src/standalone/manifests.ts";
import { type Catalog, createCatalog } from "../../src/sync/catalog.ts";
import type { Declarations } from "../../src/sync/declarations.ts";
import { openDeclarations } from "../../src/sync/open-declarations.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { silentLogger } from "../support/silent-logger.ts";
import { until } from "../support/until.ts";

const KEYS = [randomBytes(32)];
/** The promise is one second from the file to the row; the rest is this machine's other work. */
const APPLIED_WITHIN_MS = 5_000;

let folder: string;
let db: TestDatabase;
let declarations: Declarations;
let catalog: Catalog;
let opened: Manifests[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "coregit-manifests-"));
  db = await createTestDatabase();
  // No test here removes a repository's packs, which is all that withdrawing asks of the store.
  const store = { remove: () => Promise.reject(new Error("not asked for")) } as unknown as RepositoryStore;
  declarations = openDeclarations({ database: db.database, store, keys: KEYS });
  catalog = createCatalog(db.database);
  opened = [];
});

afterEach(async () => {
  for (const manifests of opened) await manifests[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function open(): Promise<Manifests> {
  const manifests = await openManifests({ folder, declarations, catalog, logger: silentLogger });
  opened.push(manifests);
  return manifests;
}

const doc = (kind: string, name: string, spec: string, apiVersion = "coregit.dev/v1alpha1") =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata:\n  name: ${name}\n${spec}\n---\n`;
const sync = (name: string, remote = "https://git.example/a.git") => doc("RepoSync", name, `spec:\n  remote: ${remote}`);
const write = (name: string, text: string) => writeFile(join(folder, name), text);
const names = async () => (await declarations.listSyncs()).map(({ name }) => name);
const isNames =
  (...expected: string[]) =>
  async () =>
    (await names()).join() === expected.join();
const problems = (manifests: Manifests) => manifests.problems.map(describeProblem);

describe("a folder of manifests", () => {
  test("is applied once it is open, with its owner's key", async () => {
    await write("a.yaml", sync("one") + sync("two"));
    const manifests = await open();
    expect(problems(manifests)).toEqual([]);
    expect((await declarations.listSyncs({ ownerKind: "file" })).map(({ owner, name }) => [name, owner.ref])).toEqual([
      ["one", "RepoSync/default/one"],
      ["two", "RepoSync/default/two"],
    ]);
  });

  test("is followed: added, changed, renamed over and removed files", async () => {
    await open();
    await write("a.yaml", sync("app"));
    await until("a new file is applied", isNames("app"), APPLIED_WITHIN_MS);
    await write("b.tmp", sync("app", "https://git.example/b.git"));
    await rename(join(folder, "b.tmp"), join(folder, "a.yaml"));
    const remote = async () => (await declarations.listSyncs())[0]?.spec.remote;
    await until(
      "a file renamed over is applied",
      async () => (await remote()) === "https://git.example/b.git",
      APPLIED_WITHIN_MS,
    );
    await mkdir(join(folder, "team"));
    await write("team/c.yml", sync("c"));
    await until("a file in a new folder is applied", isNames("app", "c"), APPLIED_WITHIN_MS);
    await rm(join(folder, "team"), { recursive: true });
    await until("a removed folder's syncs are withdrawn", isNames("app"), APPLIED_WITHIN_MS);
  });

  test("an editor that removes a file and writes it again does not remove its syncs", async () => {
    await write("a.yaml", sync("app"));
    await open();
    const before = (await declarations.listSyncs())[0]?.id;
    await rm(join(folder, "a.yaml"));
    await write("a.yaml", sync("app") + sync("more"));
    await until("the new text is applied", isNames("app", "more"), APPLIED_WITHIN_MS);
    expect((await declarations.listSyncs())[0]?.id).toBe(before);
  });

  test("a document that moves to another file stays what it is", async () => {
    await write("a.yaml", sync("app"));
    await write("b.yaml", sync("other"));
    await open();
    const before = (await declarations.listSyncs())[0]?.id;
    await write("b.yaml", sync("other") + sync("app"));
    await rm(join(folder, "a.yaml"));
    await write("b.yaml", sync("app") + sync("third"));
    await until("the rest has followed", isNames("app", "third"), APPLIED_WITHIN_MS);
    expect((await declarations.listSyncs())[0]?.id).toBe(before);
  });

  test("an invalid document is reported with file, line and field, the others apply, and what it was stays", async () => {
    await write("a.yaml", sync("app") + sync("other"));
    const manifests = await open();
    await write("a.yaml", sync("app", "[not, a, text]") + sync("third"));
    await until("the valid document is applied", isNames("app", "third"), APPLIED_WITHIN_MS);
    expect(problems(manifests)).toEqual([expect.stringMatching(/^a\.yaml:6: spec\.remote: must be a text/)]);
    expect((await declarations.listSyncs())[0]?.spec.remote).toBe("https://git.example/a.git");
    await write("a.yaml", sync("app"));
    await until("the problem is gone", () => manifests.problems.length === 0, APPLIED_WITHIN_MS);
  });

  test("a file that cannot be parsed withdraws nothing, neither while it runs nor after a restart", async () => {
    await write("a.yaml", sync("app"));
    const first = await open();
    await write("a.yaml", `${sync("app")}\nbroken: [`);
    await until("the problem shows", () => first.problems.length === 1, APPLIED_WITHIN_MS);
    expect(await names()).toEqual(["app"]);
    await first[Symbol.asyncDispose]();
    await write("a.yaml", "broken: [");
    await open();
    expect(await names()).toEqual(["app"]);
  });

  test("what earlier files declared is withdrawn after a restart; what others declared is not", async () => {
    await write(
      "a.yaml",
      sync("gone") + doc("Connection", "gone", "spec: {provider: git}") + doc("Repository", "gone", "spec: {}"),
    );
    await (await open())[Symbol.asyncDispose]();
    const [mine] = await declarations.listSyncs();
    if (mine === undefined) throw new Error("the sync is missing");
    const foreign = {
      owner: { kind: "resource", ref: "uid-1" },
      namespace: "default",
      repository: "kept",
      connection: null,
    } as const;
    await declarations.declareSync({ ...foreign, name: "kept", spec: mine.spec });
    await write("a.yaml", sync("new"));
    await open();
    await until("the old ones are gone", isNames("kept", "new"), APPLIED_WITHIN_MS);
    await until("the connection is gone", async () => (await catalog.listConnections(null)).length === 0, APPLIED_WITHIN_MS);
    const ownerOfRepository = async () => (await catalog.readRepository("default", "gone"))?.owner;
    await until("the repository is released", async () => (await ownerOfRepository())?.kind !== "file", APPLIED_WITHIN_MS);
    expect(await ownerOfRepository()).toEqual({ kind: "api", ref: "" });
  });

  test("a folder that vanishes withdraws nothing, and is followed again when it is back", async () => {
    await write("a.yaml", sync("app"));
    const manifests = await open();
    await rename(folder, `${folder}-away`);
    await until("the folder's absence shows", () => manifests.problems.length === 1, APPLIED_WITHIN_MS);
    expect(await names()).toEqual(["app"]);
    await rename(`${folder}-away`, folder);
    await until("it is read again", () => manifests.problems.length === 0, APPLIED_WITHIN_MS);
    await write("b.yaml", sync("more"));
    await until("it is watched again", isNames("app", "more"), APPLIED_WITHIN_MS);
  });

  test("a changed Secret reaches the connection that uses it, sealed", async () => {
    const connection = doc("Connection", "c", "spec:\n  provider: git\n  secretRef: {name: s}");
    const secret = (token: string) => doc("Secret", "s", `stringData: {token: ${token}}`, "v1");
    const credential = async () => {
      const [listed] = await catalog.listConnections(null);
      const row = listed === undefined ? null : await readConnection(db.database, listed.id);
      return row?.sealedCredential ? openCredential(KEYS, row.id, row.sealedCredential) : row?.error?.code;
    };
    await write("c.yaml", connection);
    await open();
    expect(await credential()).toBe("SecretMissing");
    for (const token of ["one", "two"]) {
      await write("s.yaml", secret(token));
      const isToken = async () => JSON.stringify(await credential()) === JSON.stringify({ kind: "token", token });
      await until(`the token is ${token}`, isToken, APPLIED_WITHIN_MS);
    }
  });

  test("what the rows refuse is a problem with the place of its document", async () => {
    await declarations.declareRepository({
      owner: { kind: "resource", ref: "uid-1" },
      ...{
        namespace: "default",
        slug: "taken",
        defaultBranch: "main",
        protectedBranches: [],
        description: "",
        visibility: "private",
        deletionPolicy: "Retain",
      },
    });
    await write("a.yaml", `# a comment\n${doc("Repository", "taken", "spec: {}")}${sync("fine")}`);
    const manifests = await open();
    expect(problems(manifests)).toEqual([expect.stringMatching(/^a\.yaml:2: .*default\/taken is declared elsewhere/)]);
    expect(await names()).toEqual(["fine"]);
  });

  test("a folder that is not there at the start is refused in one sentence", async () => {
    const missing = openManifests({ folder: join(folder, "none"), declarations, catalog, logger: silentLogger });
    await expect(missing).rejects.toThrow(/^The manifests folder .* cannot be read \(ENOENT\)\.$/);
  });
});

test("the instance file is there whole while standalone runs", async () => {
  const file = await announceInstance(folder, { url: "http://127.0.0.1:1", pid: 7 });
  expect(JSON.parse(await readFile(join(folder, "standalone.json"), "utf8"))).toEqual({ url: "http://127.0.0.1:1", pid: 7 });
  await file[Symbol.asyncDispose]();
  await expect(readFile(join(folder, "standalone.json"))).rejects.toThrow("ENOENT");
});
