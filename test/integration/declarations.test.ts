// Declarations as rows: what a change means, and that no change means no write.
import { describe, expect, it } from "vitest";
import type { Database } from "../../src/db/database.ts";
import type { ConnectionDeclaration, SyncDeclaration } from "../../src/domain/declaration.ts";
import type { RepositoryStore } from "../../src/repositories/store.ts";
import { openDeclarations } from "../../src/sync/open-declarations.ts";
import { countWaiting } from "../support/count-waiting.ts";
import { createTestDatabase } from "../support/database.ts";
import { declareSync } from "../support/declare-sync.ts";
import { QUIET_SPEC, TEST_KEYS } from "../support/quiet-spec.ts";
import { failureOf } from "../support/test-remotes.ts";
import { until } from "../support/until.ts";

const sync: SyncDeclaration = {
  owner: { kind: "resource", ref: "uid-1" },
  namespace: "default",
  name: "site",
  repository: "site",
  connection: null,
  spec: QUIET_SPEC,
};
const connection: ConnectionDeclaration = {
  owner: { kind: "resource", ref: "uid-c" },
  namespace: "default",
  name: "forge",
  label: "Forge",
  provider: "git",
  baseUrl: "https://git.example.com",
  caPem: null,
  credential: { kind: "token", token: "secret-token" },
  error: null,
};

async function open() {
  await using stack = new AsyncDisposableStack();
  const { database } = stack.use(await createTestDatabase());
  // Only the removal of repositories reaches the store.
  const store = { remove: (id: string) => remove(database, id) } as unknown as RepositoryStore;
  const declarations = openDeclarations({ database, store, keys: TEST_KEYS });
  const owned = stack.move();
  return { database, declarations, store, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function remove(database: Database, id: string): Promise<void> {
  await database.query("DELETE FROM repositories WHERE id = $1", [id]);
}

/** Row versions of a table: another one for every write. */
async function versions(database: Database, table: "syncs" | "connections" | "repositories"): Promise<unknown> {
  return (await database.query(`SELECT id, xmin::text, ctid::text FROM ${table} ORDER BY id`)).rows;
}

/** As if a run had come to its end: nothing due, no error, a sync point. */
async function settleRow(database: Database, id: string): Promise<void> {
  await database.query("UPDATE syncs SET next_run_at = 'infinity', seen_generation = generation WHERE id = $1", [id]);
  await database.query(
    `INSERT INTO sync_points (sync_id, branch, remote_branch, remote_commit, remote_tree, remote_object)
     VALUES ($1, 'main', 'main', repeat('a', 40), repeat('b', 40), '')`,
    [id],
  );
}

const points = async (database: Database) => (await database.query("SELECT 1 FROM sync_points")).rowCount;

describe("a declared sync", () => {
  it("is due at once and has its repository made", async () => {
    await using world = await open();
    const status = await declareSync(world.declarations, sync);
    expect(status).toMatchObject({
      namespace: "default",
      name: "site",
      repository: { namespace: "default", slug: "site" },
      provider: "git",
      generation: 1,
      handledGeneration: 0,
      isRunning: false,
      lastError: null,
    });
    expect(Date.parse(status.nextRunAt ?? "")).toBeLessThanOrEqual(Date.now() + 1000);
  });

  it("writes nothing when it is declared again unchanged", async () => {
    await using world = await open();
    const first = await declareSync(world.declarations, sync);
    const before = await versions(world.database, "syncs");
    expect(await declareSync(world.declarations, structuredClone(sync))).toEqual(first);
    expect(await versions(world.database, "syncs")).toEqual(before);
  });

  it("becomes due under a new generation when its policy changes, and keeps its sync point", async () => {
    await using world = await open();
    const { id } = await declareSync(world.declarations, sync);
    await settleRow(world.database, id);
    const changed = await declareSync(world.declarations, { ...sync, spec: { ...sync.spec, onDivergence: "Fail" } });
    expect(changed).toMatchObject({ id, generation: 2 });
    expect(changed.nextRunAt).not.toBeNull();
    expect(await points(world.database)).toBe(1);
  });

  it.each([
    ["remote", { remote: "https://git.example.com/c/d" }],
    ["direction", { direction: "export" }],
    ["branch", { branch: "next" }],
    ["remote branch", { remoteBranch: "next" }],
    ["path", { path: "docs" }],
    ["remote path", { remotePath: "docs" }],
    ["included paths", { include: ["*.md"] }],
    ["excluded paths", { exclude: ["*.md"] }],
  ] as const)("starts a new baseline when its %s changes", async (_what, change) => {
    await using world = await open();
    const { id } = await declareSync(world.declarations, sync);
    await settleRow(world.database, id);
    await declareSync(world.declarations, { ...sync, spec: { ...sync.spec, ...change } });
    expect(await points(world.database)).toBe(0);
  });

  it("is made due by a new requestedAt alone, once, in the same generation", async () => {
    await using world = await open();
    const { id } = await declareSync(world.declarations, { ...sync, requestedAt: "one" });
    await settleRow(world.database, id);
    expect(await declareSync(world.declarations, { ...sync, requestedAt: "one" })).toMatchObject({ nextRunAt: null });
    const asked = await declareSync(world.declarations, { ...sync, requestedAt: "two" });
    expect(asked).toMatchObject({ generation: 1, nextRunAt: expect.any(String) });
  });

  it("is not due while suspended, and due when resumed", async () => {
    await using world = await open();
    const suspended = { ...sync, spec: { ...sync.spec, suspend: true } };
    expect(await declareSync(world.declarations, suspended)).toMatchObject({ nextRunAt: null });
    expect(await declareSync(world.declarations, { ...suspended, requestedAt: "now" })).toMatchObject({ nextRunAt: null });
    expect(await declareSync(world.declarations, sync)).toMatchObject({ nextRunAt: expect.any(String) });
  });

  it("is one row when many declare it at the same time", async () => {
    await using world = await open();
    const declared = await Promise.all(Array.from({ length: 8 }, () => declareSync(world.declarations, sync)));
    expect(new Set(declared.map(({ id }) => id)).size).toBe(1);
    expect(await world.declarations.listSyncs()).toHaveLength(1);
  });

  it("is made beside others at the same time, whichever of them share a repository, are there already or cannot be", async () => {
    await using world = await open();
    const there = await declareSync(world.declarations, { ...sync, name: "there" });
    const outcomes = await Promise.allSettled(
      [
        { ...sync, name: "one", repository: "shared" },
        { ...sync, name: "two", repository: "shared" },
        { ...sync, name: "wrong", spec: { ...sync.spec, transport: "api" as const } },
        { ...sync, name: "there" },
        { ...sync, name: "four", spec: { ...sync.spec, suspend: true } },
      ].map((declaration) => declareSync(world.declarations, declaration)),
    );
    expect(outcomes).toMatchObject([
      { value: { name: "one", repository: { slug: "shared" }, nextRunAt: expect.any(String) } },
      { value: { name: "two", repository: { slug: "shared" } } },
      { reason: { code: "InvalidSpec" } },
      { value: { id: there.id, generation: 1 } },
      { value: { name: "four", nextRunAt: null } },
    ]);
    const { rows } = await world.database.query("SELECT name FROM syncs WHERE made_repository ORDER BY name");
    expect(rows).toEqual([{ name: "one" }, { name: "there" }]);
  });

  it("is the one that made a repository which many name for the first time at once", async () => {
    await using world = await open();
    const names = Array.from({ length: 8 }, (_, index) => `sync-${index}`);
    const all = names.map((name) => world.declarations.declareSync({ ...sync, name, repository: "shared" }));
    expect(new Set((await Promise.all(all)).map(({ id }) => id)).size).toBe(8);
    expect((await world.database.query("SELECT FROM syncs WHERE made_repository")).rowCount).toBe(1);
    expect((await world.database.query("SELECT FROM repositories")).rowCount).toBe(1);
  });

  it("passes to a resource of the same name with another uid, but not to another file", async () => {
    await using world = await open();
    const { id } = await declareSync(world.declarations, sync);
    const again = await declareSync(world.declarations, { ...sync, owner: { kind: "resource", ref: "uid-2" } });
    expect(again).toMatchObject({ id, owner: { kind: "resource", ref: "uid-2" } });
    const file: SyncDeclaration = { ...sync, owner: { kind: "file", ref: "a.yaml#0" } };
    await declareSync(world.declarations, file);
    const other = { ...file, owner: { kind: "file", ref: "b.yaml#0" } } as const;
    expect(await failureOf(declareSync(world.declarations, other))).toMatchObject({ code: "Managed" });
  });

  it("is removed by its owner alone, and its repository stays", async () => {
    await using world = await open();
    await declareSync(world.declarations, sync);
    await world.declarations.withdrawSync({ kind: "resource", ref: "uid-9" }, "default", "site");
    expect(await world.declarations.listSyncs({ ownerKind: "resource" })).toHaveLength(1);
    await world.declarations.withdrawSync(sync.owner, "default", "site");
    await world.declarations.withdrawSync(sync.owner, "default", "site");
    expect(await world.declarations.listSyncs()).toEqual([]);
    expect((await world.database.query("SELECT 1 FROM repositories")).rowCount).toBe(1);
  });

  it("names what is wrong with a slug", async () => {
    await using world = await open();
    const failure = await failureOf(declareSync(world.declarations, { ...sync, repository: "Not A Slug" }));
    expect(failure).toMatchObject({ code: "InvalidSpec" });
  });

  it("that demands an API is refused where there is none: for an import, and without a provider that has one", async () => {
    await using world = await open();
    const spec = { ...sync.spec, direction: "export", transport: "api" } as const;
    const declare = (changes: Partial<SyncDeclaration>) => declareSync(world.declarations, { ...sync, spec, ...changes });
    expect(await failureOf(declare({}))).toMatchObject({ code: "InvalidSpec", message: expect.stringContaining("connection") });
    await world.declarations.declareConnection(connection);
    expect(await failureOf(declare({ connection: "forge" }))).toMatchObject({ code: "InvalidSpec" });
    await world.declarations.declareConnection({ ...connection, provider: "github" });
    const reading = { ...spec, direction: "import" } as const;
    expect(await failureOf(declare({ connection: "forge", spec: reading }))).toMatchObject({ code: "InvalidSpec" });
    await expect(declare({ connection: "forge" })).resolves.toMatchObject({ name: "site" });
  });

  it.each([".git", "docs/.GIT", "git~1", ".g\u200cit/hooks", "a/.git /b"])(
    "is refused with the folder %j, which becomes part of a tree",
    async (folder) => {
      await using world = await open();
      for (const field of ["path", "remotePath"]) {
        const failure = await failureOf(declareSync(world.declarations, { ...sync, spec: { ...sync.spec, [field]: folder } }));
        expect(failure).toMatchObject({ code: "InvalidSpec", message: expect.stringContaining(field) });
      }
    },
  );
});

describe("a declared connection", () => {
  it("is stored sealed, and written once", async () => {
    await using world = await open();
    const { id } = await world.declarations.declareConnection(connection);
    const before = await versions(world.database, "connections");
    expect(await world.declarations.declareConnection(structuredClone(connection))).toEqual({ id });
    expect(await versions(world.database, "connections")).toEqual(before);
    const { rows } = await world.database.query("SELECT * FROM connections");
    expect(JSON.stringify(rows.map((row) => ({ ...row, credential: String(row.credential) })))).not.toContain("secret-token");
  });

  it("is sealed anew once the keys have been rotated", async () => {
    await using world = await open();
    await world.declarations.declareConnection(connection);
    const before = await versions(world.database, "connections");
    const keys = [new Uint8Array(32).fill(9), ...TEST_KEYS];
    await openDeclarations({ ...world, keys }).declareConnection(connection);
    expect(await versions(world.database, "connections")).not.toEqual(before);
  });

  it("wakes the syncs that waited for it, and only those that failed when its credential changes", async () => {
    await using world = await open();
    const waiting = await declareSync(world.declarations, { ...sync, connection: "forge" });
    await settleRow(world.database, waiting.id);
    await world.declarations.declareConnection(connection);
    expect(await world.declarations.readSync(waiting.id)).toMatchObject({ nextRunAt: expect.any(String) });
    await world.database.query("UPDATE syncs SET next_run_at = 'infinity'");
    const rotated = { ...connection, credential: { kind: "token", token: "other" } } as const;
    await world.declarations.declareConnection(rotated);
    expect(await world.declarations.readSync(waiting.id)).toMatchObject({ nextRunAt: null });
    await world.database.query("UPDATE syncs SET last_error_code = 'AuthenticationFailed'");
    await world.declarations.declareConnection(connection);
    expect(await world.declarations.readSync(waiting.id)).toMatchObject({ nextRunAt: expect.any(String), generation: 1 });
  });

  it.each(["withdrawn", "changed"] as const)("is %s beside the end of a run, which writes its sync twice", async (how) => {
    await using world = await open();
    await world.declarations.declareConnection(connection);
    const { id } = await declareSync(world.declarations, { ...sync, connection: "forge" });
    const change = () =>
      how === "changed"
        ? world.declarations.declareConnection({ ...connection, baseUrl: "https://other.example.com" })
        : world.declarations.withdrawConnection(connection.owner, "default", "forge");
    let changed: Promise<unknown> = Promise.resolve();
    await world.database.transaction(async (tx) => {
      await tx.query("UPDATE syncs SET failures = 1 WHERE id = $1", [id]);
      changed = change();
      await until("the change waits for the run", async () => (await countWaiting(world.database)) > 0);
      await tx.query("UPDATE syncs SET failures = 2 WHERE id = $1", [id]);
    });
    await changed;
    expect((await world.database.query("SELECT failures FROM syncs")).rows).toEqual([{ failures: 2 }]);
  });

  it("starts a new baseline for its syncs when it names another server", async () => {
    await using world = await open();
    await world.declarations.declareConnection(connection);
    const { id } = await declareSync(world.declarations, { ...sync, connection: "forge" });
    await settleRow(world.database, id);
    await world.declarations.declareConnection({ ...connection, baseUrl: "https://other.example.com" });
    expect(await world.declarations.readSync(id)).toMatchObject({ generation: 2, nextRunAt: expect.any(String) });
    expect(await points(world.database)).toBe(0);
  });

  it("leaves its syncs due when it goes, so that they say what is missing", async () => {
    await using world = await open();
    await world.declarations.declareConnection(connection);
    const { id } = await declareSync(world.declarations, { ...sync, connection: "forge" });
    await settleRow(world.database, id);
    await world.declarations.withdrawConnection(connection.owner, "default", "forge");
    const status = await world.declarations.readSync(id);
    expect(status).toMatchObject({ connection: "forge", connectionId: null, nextRunAt: expect.any(String) });
  });
});

describe("a declared repository", () => {
  const repository = {
    owner: { kind: "resource", ref: "uid-r" },
    namespace: "default",
    slug: "site",
    defaultBranch: "trunk",
    protectedBranches: ["release/*"],
    description: "The site",
    visibility: "public",
    deletionPolicy: "Retain",
  } as const;

  it("adopts one that a sync has made, and writes nothing the second time", async () => {
    await using world = await open();
    const status = await declareSync(world.declarations, sync);
    expect(await world.declarations.declareRepository(repository)).toEqual({ id: status.repository.id });
    const before = await versions(world.database, "repositories");
    await world.declarations.declareRepository(repository);
    expect(await versions(world.database, "repositories")).toEqual(before);
  });

  it("is refused while another kind of owner declares it", async () => {
    await using world = await open();
    await world.declarations.declareRepository(repository);
    const file = { ...repository, owner: { kind: "file", ref: "a.yaml#0" } } as const;
    expect(await failureOf(world.declarations.declareRepository(file))).toMatchObject({ code: "RepositoryExists" });
  });

  it("stays when it is withdrawn under Retain, and goes with its syncs under Delete", async () => {
    await using world = await open();
    await declareSync(world.declarations, sync);
    await world.declarations.declareRepository(repository);
    await world.declarations.withdrawRepository(repository.owner, "default", "site");
    expect(await world.declarations.listSyncs()).toHaveLength(1);
    await world.declarations.declareRepository({ ...repository, deletionPolicy: "Delete" });
    await world.declarations.withdrawRepository(repository.owner, "default", "site");
    expect(await world.declarations.listSyncs()).toEqual([]);
  });
});
