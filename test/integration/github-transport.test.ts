// Which transport an export to GitHub takes: what git carries instead of the API, and what a sync may demand.
import { describe, expect, it } from "vitest";
import { EMPTY_TREE } from "../../src/domain/oid.ts";
import { stageGitHub } from "../support/export-stage.ts";
import { README } from "../support/served-remote.ts";

const stage = stageGitHub();

const pushes = () => stage.double.requests.filter(({ route }) => route === "git receive-pack");

describe("what git carries better, or alone", () => {
  it.each([
    ["the first commit of an empty repository", { files: null }, { a: "1\n" }],
    ["a name that is not UTF-8", {}, { "caf\xe9": "1\n" }],
    ["a large file", {}, { big: "x".repeat(5 * 1024 * 1024) }],
    ["dozens of binary files", {}, binaryFiles(40)],
  ] as const)("%s", async (_what, options, files) => {
    const here = await stage.serve(options);
    await here.editHere({ ...("files" in options ? {} : README), ...files });
    expect((await here.declare()).lastError).toBeNull();
    expect(await here.treeThere()).toBe(await here.treeHere());
    expect(pushes()).toHaveLength(1);
    expect(here.apiWrites()).toEqual([]);
  });

  it("is refused by a sync that demands the API, with nothing written", async () => {
    const here = await stage.serve({ files: null });
    await here.editHere({ a: "1\n" });
    const status = await here.declare({ transport: "api" });
    expect(status.lastErrorCode).toBe("TransportUnsuited");
    expect(status.lastError).toContain("makes no branch in an empty repository");
    expect(here.apiWrites()).toEqual([]);
    expect(await here.remote.git.isEmpty()).toBe(true);
  });

  it("is dozens of binary files by the API all the same, 20 at once at most, where the API is demanded", async () => {
    const here = await stage.serve();
    await here.editHere({ ...README, ...binaryFiles(60) });
    expect((await here.declare({ transport: "api" })).lastError).toBeNull();
    expect(await here.treeThere()).toBe(await here.treeHere());
    expect(here.apiCalls().filter(({ route }) => route?.endsWith("/git/blobs"))).toHaveLength(60);
    expect(stage.double.highWater).toBeLessThanOrEqual(20);
    expect(stage.double.highWater).toBeGreaterThan(5);
  });

  it("is the deletion of every file", async () => {
    const here = await stage.serve();
    await here.editHere(README);
    expect((await here.declare({ maxDeletions: { percent: 100 } })).lastError).toBeNull();
    await here.editHere({ "README.md": null });
    expect((await here.runAgain()).lastError).toBeNull();
    expect([await here.treeThere(), pushes().length]).toEqual([EMPTY_TREE, 1]);
  });

  it("is anything of a sync that demands git", async () => {
    const here = await stage.serve();
    await here.editHere({ ...README, a: "1\n" });
    expect((await here.declare({ transport: "git" })).lastError).toBeNull();
    expect(pushes()).toHaveLength(1);
    expect(here.apiWrites()).toEqual([]);
  });
});

describe("a server that does not offer GraphQL", () => {
  it.each([404, 405, 501])("and answers it %i, is pushed to, and asked for nothing else by its API", async (status) => {
    const here = await stage.exported();
    const blocked = () => stage.double.faults.order(/graphql/, { kind: "answer", status, body: "<html>Blocked</html>" }, 50);
    blocked();
    await here.editHere({ text: `${status}\n` });
    expect((await here.declare({ transport: "auto" })).lastError).toBeNull();
    stage.double.faults.clear();
    expect(await here.treeThere()).toBe(await here.treeHere());
    expect(pushes()).toHaveLength(1);
    expect(here.apiWrites().filter(({ path }) => !path.endsWith("/graphql"))).toEqual([]);
  });

  it("is named as such where the API is demanded, and nothing is written", async () => {
    const here = await stage.exported();
    stage.double.faults.order(/graphql/, { kind: "answer", status: 404, body: '{"message":"Not Found"}' }, 50);
    await here.editHere({ text: "1\n" });
    const status = await here.runAgain();
    stage.double.faults.clear();
    expect([status.lastErrorCode, status.lastError]).toEqual(["TransportUnsuited", expect.stringContaining("GraphQL")]);
    expect(pushes()).toEqual([]);
    expect(here.apiWrites().filter(({ path }) => !path.endsWith("/graphql"))).toEqual([]);
  });
});

function binaryFiles(count: number): Record<string, Uint8Array> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`image-${index}`, Uint8Array.from([0, index])]));
}
