// Exports by GitHub's API on bad days: the remote moves in between, replicas lag, large trees are too much, and a tree is not the
// planned one.
import { beforeAll, describe, expect, it } from "vitest";
import { stageGitHub } from "../support/export-stage.ts";
import type { GitHubSizes } from "../support/providers/github/sizes.ts";
import { README } from "../support/served-remote.ts";
import { manyFiles } from "../support/source-repository.ts";

const stage = stageGitHub();
// What a minute allows is no matter of these tests.
beforeAll(() => {
  stage.double.limits.isEnabled = false;
});

describe("a branch that moves between the plan and the commit", () => {
  /** Just before the branch is to be moved: the second request to GraphQL. */
  const meanwhile = (run: () => Promise<unknown>) => stage.orderAt(1, { kind: "before", run }, /graphql/);

  it("by another file is planned again, and both changes stay", async () => {
    const here = await stage.exported();
    await here.editHere({ text: "mine\n" });
    meanwhile(() => here.remote.commit({ theirs: "theirs\n" }));
    expect((await here.runAgain()).lastError).toBeNull();
    const files = await here.remote.git.source.git("ls-tree", "-r", "--name-only", "main");
    expect(files.split("\n")).toEqual(["README.md", "text", "theirs"]);
    expect(await here.remote.git.source.git("show", "main:text")).toBe("mine");
  });

  it("by the same file is a conflict, and theirs stays", async () => {
    const here = await stage.exported();
    await here.editHere({ text: "mine\n" });
    meanwhile(() => here.remote.commit({ text: "theirs\n" }));
    expect((await here.runAgain()).lastErrorCode).toBe("Conflict");
    expect(await here.remote.git.source.git("show", "main:text")).toBe("theirs");
  });

  it("backwards, which a fast-forward would not notice, is planned again", async () => {
    const here = await stage.exported();
    const first = await here.remote.git.source.git("rev-parse", "main~1");
    const head = await here.head();
    await here.editHere({ text: "mine\n" });
    meanwhile(() => here.remote.setRef("refs/heads/main", first));
    await here.runAgain();
    await here.runAgain();
    const parents = await here.remote.git.source.git("rev-list", "main");
    expect(parents.split("\n")).not.toContain(head);
    expect(parents.split("\n")).toContain(first);
  });
});

describe("replicas that lag", () => {
  it("are not taken for a branch that did not move", async () => {
    const here = await stage.exported();
    await here.editHere({ text: "1\n" });
    stage.orderAt(1, { kind: "loseAnswer" }, /graphql/);
    here.remote.lag(2);
    const before = await here.commitsThere();
    const status = await here.runAgain();
    if (status.lastError !== null) await here.runAgain();
    expect(await here.commitsThere()).toBe(before + 1);
    expect((await here.runs())[0]).toMatchObject({ status: "success", commitSha: await here.head() });
  });

  it("that do not know a tree yet are asked a second time", async () => {
    const here = await stage.exported();
    await here.editHere({ text: "1\n" });
    const body = JSON.stringify({ message: "Tree SHA does not exist" });
    const headers = { "content-type": "application/json" };
    stage.double.faults.order(/git\/commits/, { kind: "answer", status: 422, body, headers });
    expect((await here.runAgain()).lastError).toBeNull();
  });
});

describe("trees that are too much at once", () => {
  it.each<GitHubSizes["treeRefusal"]>([422, 502, 405])(
    "for GitHub, which says %i, are made in smaller steps",
    async (refusal) => {
      const { sizes } = stage.double.world;
      const before = { ...sizes };
      Object.assign(sizes, { treeEntries: 60, treeRefusal: refusal, isTreeWrittenAnyway: refusal === 502 });
      const here = await stage.serve();
      await here.editHere({ ...README, ...manyFiles(300) });
      const status = await here.declare({ transport: "api" });
      Object.assign(sizes, before);
      expect(status.lastError).toBeNull();
      expect(await here.treeThere()).toBe(await here.treeHere());
      // 200 and 100 entries are refused; then come six of fifty.
      expect(here.apiCalls().filter(({ route }) => route?.endsWith("/git/trees"))).toHaveLength(8);
    },
  );

  it("whatever their size are a failure that passes", async () => {
    const here = await stage.exported();
    await here.editHere({ text: "1\n" });
    stage.double.faults.order(/git\/trees/, { kind: "answer", status: 502 }, 20);
    expect((await here.runAgain()).lastErrorCode).toBe("RemoteUnreachable");
    expect(stage.double.faults.pending).toBeGreaterThan(5);
    stage.double.faults.clear();
    expect((await here.runAgain()).lastError).toBeNull();
  });
});

describe("a tree that is not the planned one", () => {
  it("is an error before the branch moves, and records nothing", async () => {
    const here = await stage.exported();
    const head = await here.head();
    const other = await here.treeThere();
    await here.editHere({ text: "1\n" });
    const headers = { "content-type": "application/json" };
    stage.double.faults.order(/git\/trees/, { kind: "answer", status: 201, body: JSON.stringify({ sha: other }), headers });
    const status = await here.runAgain();
    expect(status.lastErrorCode).toBe("RemoteTreeDiffers");
    expect(await here.head()).toBe(head);
    expect((await here.runAgain()).lastError).toBeNull();
    expect(await here.treeThere()).toBe(await here.treeHere());
  });
});
