// Exports on bad days: races, refusals, and runs that end between the remote's acceptance and our record.
import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../src/sync/engine.ts";
import { installHook } from "../support/pushed-commit.ts";
import { type ServedExport, serveExport } from "../support/served-export.ts";
import { manyFiles } from "../support/source-repository.ts";
import { openSyncWorld, type SyncWorld } from "../support/sync-world.ts";

let world: SyncWorld;
let engine: Engine;

beforeAll(async () => {
  world = await openSyncWorld();
  engine = await world.startEngine();
});
afterAll(() => world[Symbol.asyncDispose]());

const isPush = (path: string): boolean => path.endsWith("/git-receive-pack");

/** The database refuses sync points of this sync until disposal, as if the worker died before it could record. */
async function loseRecords(syncId: string): Promise<AsyncDisposable> {
  const name = `lose_${syncId.replace(/\W/g, "_")}`;
  await world.database.query(
    `CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'lost'; END $$`,
  );
  await world.database.query(
    `CREATE TRIGGER ${name} BEFORE INSERT OR UPDATE ON sync_points FOR EACH ROW WHEN (NEW.sync_id = '${syncId}')
     EXECUTE FUNCTION ${name}()`,
  );
  return {
    async [Symbol.asyncDispose]() {
      await world.database.query(`DROP FUNCTION ${name} CASCADE`);
    },
  };
}

const commitsThere = async (here: ServedExport): Promise<number> => Number(await here.remote.git("rev-list", "--count", "main"));

describe("a commit that the remote took and nobody recorded", () => {
  it("is adopted by the next run and not repeated", async () => {
    await using here = await serveExport(world, engine);
    await here.editHere({ a: "1" });
    const { id } = await here.declare();
    const local = await here.editHere({ a: "2", b: "1" });
    {
      await using _lost = await loseRecords(id);
      expect(await here.runAgain()).toMatchObject({ lastErrorCode: "Internal" });
    }
    const pushed = await here.remote.head();
    expect(await commitsThere(here)).toBe(2);
    expect(await here.runAgain()).toMatchObject({ lastError: null, lastSyncedSha: local, remoteSha: pushed });
    expect((await here.runs())[0]).toMatchObject({
      status: "success",
      commitSha: pushed,
      message: "Exported 2 files.",
      added: 1,
      modified: 1,
    });
    expect(await commitsThere(here)).toBe(2);
  });

  it("is no conflict with what was changed here since", async () => {
    await using here = await serveExport(world, engine);
    await here.editHere({ a: "1", skipped: "1" });
    const { id } = await here.declare({ exclude: ["skipped"] });
    await here.editHere({ a: "2" });
    {
      await using _lost = await loseRecords(id);
      await here.runAgain();
    }
    await here.editHere({ a: "3" });
    expect(await here.runAgain()).toMatchObject({ lastError: null });
    expect(await here.filesThere()).toEqual({ a: "3" });
    expect(await commitsThere(here)).toBe(3);
  });

  it("is adopted when it was the first in an empty remote", async () => {
    await using here = await serveExport(world, engine);
    await here.editHere({ a: "1" });
    const { id } = await here.declare({ suspend: true });
    {
      await using _lost = await loseRecords(id);
      await here.declare({ onDivergence: "Fail" });
    }
    await here.editHere({ a: "2" });
    expect(await here.runAgain()).toMatchObject({ lastError: null });
    expect(await here.filesThere()).toEqual({ a: "2" });
    expect(await commitsThere(here)).toBe(2);
  });

  it("is not believed when its tree is not what the sync would have made", async () => {
    await using here = await serveExport(world, engine);
    const local = await here.editHere({ a: "1" });
    const { id } = await here.declare();
    const message = `Forged\n\nCoregit-Sync: ${id}\nCoregit-Origin: x\nCoregit-Origin-Commit: ${local}\n`;
    await here.remote.commit({ a: "forged" }, { message });
    await here.editHere({ a: "2" });
    expect(await here.runAgain()).toMatchObject({ lastErrorCode: "Conflict" });
  });

  it("whose answer was lost is recorded by the same run", async () => {
    await using here = await serveExport(world, engine);
    const local = await here.editHere({ a: "1" });
    here.server.fault = ({ path }) => (isPush(path) ? { kind: "break", afterBytes: 0 } : null);
    expect(await here.declare()).toMatchObject({ lastError: null, lastSyncedSha: local, remoteSha: await here.remote.head() });
    expect(await commitsThere(here)).toBe(1);
  });
});

describe("a remote that moves between plan and push", () => {
  it("is read again within the run, and nothing of it is lost", async () => {
    await using here = await serveExport(world, engine);
    await here.editHere({ a: "1" });
    await here.declare();
    await here.remote.branch("theirs", await here.remote.head());
    const theirs = await here.remote.commit({ theirs: "1" }, { branch: "theirs" });
    let races = 0;
    here.server.fault = ({ path }) => {
      if (isPush(path) && races++ === 0) execFileSync("git", ["-C", here.remote.path, "update-ref", "refs/heads/main", theirs]);
      return null;
    };
    await here.editHere({ a: "2" });
    expect(await here.runAgain()).toMatchObject({ lastError: null });
    expect(await here.filesThere()).toEqual({ a: "2", theirs: "1" });
    expect(await here.remote.git("log", "-1", "--format=%P", "main")).toBe(theirs);
    expect(races).toBe(2);
  });

  it("again and again is left to a later run", async () => {
    await using here = await serveExport(world, engine);
    await here.editHere({ a: "1" });
    await here.declare();
    let moves = 0;
    here.server.fault = ({ path }) => {
      if (!isPush(path)) return null;
      moves += 1;
      const tree = `${here.remote.path}`;
      const oid = execFileSync("git", ["-C", tree, "commit-tree", "-p", "main", "-m", `Move ${moves}`, "main^{tree}"], {
        env: {
          ...process.env,
          GIT_AUTHOR_NAME: "A",
          GIT_AUTHOR_EMAIL: "a@b",
          GIT_COMMITTER_NAME: "A",
          GIT_COMMITTER_EMAIL: "a@b",
        },
      });
      execFileSync("git", ["-C", tree, "update-ref", "refs/heads/main", oid.toString().trim()]);
      return null;
    };
    await here.editHere({ a: "2" });
    expect(await here.runAgain()).toMatchObject({ lastErrorCode: "RemoteMoved", failures: 1 });
    here.server.fault = null;
    expect(await here.runAgain()).toMatchObject({ lastError: null });
    expect(await here.filesThere()).toEqual({ a: "2" });
  });
});

describe("a remote that refuses", () => {
  it("is tried again later, and heals without a hand", async () => {
    await using here = await serveExport(world, engine);
    await here.editHere({ a: "1" });
    await installHook(here.remote, "pre-receive", "echo 'GH006: Protected branch update failed' >&2; exit 1");
    const refused = await here.declare();
    expect(refused).toMatchObject({ lastErrorCode: "RemoteBranchProtected" });
    expect(refused.lastError).toContain("Let this credential push to the branch");
    expect(refused.nextRunAt).not.toBeNull();
    expect((await here.runs())[0]).toMatchObject({ status: "error", remoteSha: null, commitSha: null });
    await installHook(here.remote, "pre-receive", "exit 0");
    expect(await here.runAgain()).toMatchObject({ lastError: null });
    expect(await here.filesThere()).toEqual({ a: "1" });
  });
});

describe("size", () => {
  it("of a change decides what is sent, not that of the repository; large files go as streams", async () => {
    await using origin = await serveExport(world, engine);
    await using here = await serveExport(world, engine);
    await origin.remote.commit({ ...manyFiles(20_000), "big.bin": Buffer.alloc(9 << 20, "big"), moved: "stays as it is" });
    await world.declare(origin.server.remoteUrl, {}, here.name);
    await engine.drain();
    await world.declarations.withdrawSync({ kind: "resource", ref: `uid-${here.name}` }, "default", here.name);
    expect(await here.declare()).toMatchObject({ lastError: null });
    expect(await here.remote.tree()).toBe(await origin.remote.tree());
    await here.editHere({ "folder-003/part-7/file-003700.txt": "changed" });
    expect(await here.runAgain()).toMatchObject({ lastError: null, lastRun: { modified: 1 } });
    const push = here.server.requests.findLast(({ path }) => isPush(path));
    expect(Number(push?.headers["content-length"])).toBeLessThan(20_000);
    expect((await here.runs())[0]).toMatchObject({ receivedBytes: 0 });
    await here.remote.git("fsck", "--strict", "--connectivity-only");
  });
});
