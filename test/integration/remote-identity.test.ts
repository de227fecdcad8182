// Repositories that are renamed, whose names are taken by others, or that are made anew, at doubles of GitHub and GitLab.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { SyncStatus } from "../../src/domain/declaration.ts";
import type { SyncSpec } from "../../src/domain/sync-spec.ts";
import type { Engine } from "../../src/sync/engine.ts";
import { git } from "../support/git.ts";
import { commitHere } from "../support/local-commit.ts";
import { type GitHubDouble, startGitHub } from "../support/providers/github/start.ts";
import { type GitLabDouble, startGitLab } from "../support/providers/gitlab/start.ts";
import { openSyncWorld, type SyncWorld } from "../support/sync-world.ts";

type Repository = { readonly git: { readonly path: string } } & {
  commit(files: Record<string, string>, options: { readonly message: string }): Promise<string>;
};

/** What the two doubles call by different names. */
type Double = {
  readonly url: string;
  readonly requests: GitHubDouble["requests"];
  clear(): void;
  token(): string;
  add(path: string): Promise<Repository>;
  addEmpty(path: string): Promise<unknown>;
  rename(repository: Repository, path: string): void;
  remove(repository: Repository): Promise<void>;
};

let gitHub: GitHubDouble;
let gitLab: GitLabDouble;
let world: SyncWorld;
let engine: Engine;
let made = 0;

beforeAll(async () => {
  gitHub = await startGitHub();
  gitLab = await startGitLab();
  world = await openSyncWorld();
  engine = await world.startEngine();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await gitHub[Symbol.asyncDispose]();
  await gitLab[Symbol.asyncDispose]();
});

const doubles: Readonly<Record<"github" | "gitlab", () => Double>> = {
  github: () => ({
    url: gitHub.url,
    requests: gitHub.requests,
    clear: () => gitHub.clear(),
    token: () => gitHub.addToken({ user: "acme" }),
    add: (path) => gitHub.addRepository(path, { isPrivate: true, files: { "a.txt": "one\n" } }) as unknown as Promise<Repository>,
    addEmpty: (path) => gitHub.addRepository(path, { isPrivate: true }),
    rename: (repository, path) => gitHub.moveRepository(repository as never, path),
    remove: (repository) => gitHub.deleteRepository(repository as never),
  }),
  gitlab: () => ({
    url: gitLab.url,
    requests: gitLab.requests,
    clear: () => gitLab.clear(),
    token: () => gitLab.addToken({ user: "acme" }),
    add: (path) => gitLab.addProject(path, { isPrivate: true, files: { "a.txt": "one\n" } }) as unknown as Promise<Repository>,
    addEmpty: (path) => gitLab.addProject(path, { isPrivate: true }),
    rename: (repository, path) => gitLab.moveProject(repository as never, path),
    remove: (repository) => gitLab.deleteProject(repository as never),
  }),
};

describe.each(["github", "gitlab"] as const)("at %s", (provider) => {
  let double: Double;
  let name: string;
  let path: string;
  let repository: Repository;
  beforeEach(async () => {
    double = doubles[provider]();
    made += 1;
    name = `${provider}-${made}`;
    path = `acme/${name}`;
    repository = await double.add(path);
  });

  async function declare(spec: Partial<SyncSpec> = {}): Promise<SyncStatus> {
    const owner = { kind: "resource", ref: `uid-${name}` } as const;
    await world.declarations.declareConnection({
      owner,
      namespace: "default",
      name,
      label: name,
      provider,
      baseUrl: double.url,
      caPem: null,
      credential: { kind: "token", token: double.token() },
      error: null,
    });
    const declared = await world.declare(path, { transport: "git", ...spec }, name, name);
    return world.settle(engine, declared);
  }

  async function runAgain(sync: SyncStatus): Promise<SyncStatus> {
    await world.database.query("UPDATE syncs SET next_run_at = now() WHERE id = $1", [sync.id]);
    return world.settle(engine, sync);
  }

  const fileHere = (file: string) => world.git(["show", `refs/heads/main:${file}`], name);
  const headOf = (of: Repository) => git(["--git-dir", of.git.path, "rev-parse", "refs/heads/main"]);
  const apiCalls = () => double.requests.filter(({ route }) => route !== null && !route.startsWith("git "));
  const messageOf = async (sync: SyncStatus) =>
    (await world.history.listRuns({ syncId: sync.id }, { limit: 1 })).runs[0]?.message ?? "";

  test("an import asks once who the repository is, and a poll that finds nothing new asks nothing", async () => {
    const sync = await declare();
    expect([sync.lastErrorCode, await fileHere("a.txt")]).toEqual([null, "one"]);
    expect(apiCalls().length).toBeGreaterThan(0);
    double.clear();
    await runAgain(sync);
    expect(double.requests.map(({ route }) => route)).toEqual(["git upload-pack"]);
  });

  test("a renamed repository is followed, and shown under its new name", async () => {
    const sync = await declare();
    double.rename(repository, `acme/${name}-renamed`);
    await repository.commit({ "a.txt": "two\n" }, { message: "Second" });
    const after = await runAgain(sync);
    expect([after.lastErrorCode, await fileHere("a.txt")]).toEqual([null, "two"]);
    expect(await messageOf(sync)).toContain(`The remote is acme/${name}-renamed now`);
    double.clear();
    await runAgain(sync);
    expect(double.requests.map(({ path: asked }) => asked)).toEqual([`/acme/${name}-renamed.git/git-upload-pack`]);
  });

  test("a renamed repository whose old name somebody else has taken is followed to its new name, and the other is not read", async () => {
    const sync = await declare();
    double.rename(repository, `acme/${name}-renamed`);
    const other = await double.add(path);
    await other.commit({ "evil.txt": "taken\n" }, { message: "Taken" });
    await repository.commit({ "a.txt": "two\n" }, { message: "Second" });
    const after = await runAgain(sync);
    expect([after.lastErrorCode, await fileHere("a.txt")]).toEqual([null, "two"]);
    await expect(fileHere("evil.txt")).rejects.toThrow();
  });

  test("nothing is exported to somebody else's repository under the old name", async () => {
    await world.store.create(
      { namespace: "default", slug: name, description: "", visibility: "private", defaultBranch: "main", protectedBranches: [] },
      null,
    );
    await commitHere(world.store, await world.repository(name), { "b.txt": "ours\n" });
    const sync = await declare({ direction: "export", autoSync: false });
    expect(sync.lastErrorCode).toBeNull();
    double.rename(repository, `acme/${name}-renamed`);
    const other = await double.add(path);
    const before = [await headOf(other), await headOf(repository)];
    await commitHere(world.store, await world.repository(name), { "b.txt": "changed\n" });
    const after = await runAgain(sync);
    expect(after.lastErrorCode).toBeNull();
    expect(await headOf(other)).toBe(before[0]);
    expect(await headOf(repository)).not.toBe(before[1]);
    expect(await messageOf(sync)).toContain(`acme/${name}-renamed`);
  });

  test("a repository that was deleted and made anew under its name is refused by its own code, until it is declared anew", async () => {
    const sync = await declare();
    await double.remove(repository);
    const next = await double.add(path);
    await next.commit({ "a.txt": "new\n" }, { message: "New" });
    const refused = await runAgain(sync);
    expect([refused.lastErrorCode, await fileHere("a.txt")]).toEqual(["RemoteReplaced", "one"]);
    await world.settle(engine, await world.declare(`${double.url}/${path}`, { onDivergence: "Overwrite" }, name, name));
    expect(await fileHere("a.txt")).toBe("new");
  });

  test("a repository that is gone is exported to nowhere, and its own code says so", async () => {
    await world.store.create(
      { namespace: "default", slug: name, description: "", visibility: "private", defaultBranch: "main", protectedBranches: [] },
      null,
    );
    await commitHere(world.store, await world.repository(name), { "b.txt": "ours\n" });
    const sync = await declare({ direction: "export", autoSync: false });
    expect(sync.lastErrorCode).toBeNull();
    await double.remove(repository);
    await commitHere(world.store, await world.repository(name), { "b.txt": "changed\n" });
    expect((await runAgain(sync)).lastErrorCode).toBe("RemoteNotFound");
  });

  test("a renamed repository is followed when an empty one has taken its name", async () => {
    const sync = await declare();
    double.rename(repository, `acme/${name}-renamed`);
    await double.addEmpty(path);
    await repository.commit({ "a.txt": "two\n" }, { message: "Second" });
    const after = await runAgain(sync);
    expect([after.lastErrorCode, await fileHere("a.txt")]).toEqual([null, "two"]);
  });

  test("a repository that is gone stays not found", async () => {
    const sync = await declare();
    await double.remove(repository);
    expect((await runAgain(sync)).lastErrorCode).toBe("RemoteNotFound");
  });
});

test("a GitLab token for git alone is imported with, without asking who the project is", async () => {
  const project = await gitLab.addProject("acme/git-only", { isPrivate: true, files: { "a.txt": "one\n" } });
  const credential = { kind: "token", token: gitLab.addToken({ user: "acme", scopes: ["read_repository"] }) } as const;
  const owner = { kind: "resource", ref: "uid-git-only" } as const;
  await world.declarations.declareConnection({
    owner,
    namespace: "default",
    name: "git-only",
    label: "",
    provider: "gitlab",
    baseUrl: gitLab.url,
    caPem: null,
    credential,
    error: null,
  });
  const sync = await world.settle(engine, await world.declare(project.fullPath, {}, "git-only", "git-only"));
  expect([sync.lastErrorCode, await world.git(["show", "main:a.txt"], "git-only")]).toEqual([null, "one"]);
});
