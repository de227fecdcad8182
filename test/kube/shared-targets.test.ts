// Several declarations about one thing: each ends ready or stalled, and they do not keep each other running.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Engine } from "../../src/sync/engine.ts";
import { conditionOf, readyOf } from "../support/cluster.ts";
import type { GitHttpServer } from "../support/git-http-server.ts";
import { type OperatorHarness, startOperatorHarness } from "../support/operator-harness.ts";
import { createSourceRepository, type SourceRepository } from "../support/source-repository.ts";
import { serveSource } from "../support/test-remotes.ts";
import { until } from "../support/until.ts";

let harness: OperatorHarness;
let sources: readonly SourceRepository[];
let engine: Engine;
let servers: readonly (GitHttpServer & { readonly remoteUrl: string })[];

beforeAll(async () => {
  sources = [await createSourceRepository(), await createSourceRepository()];
  for (const [index, source] of sources.entries())
    await source.commit({ "README.md": `From ${index}\n`, [`only-${index}`]: "x\n" });
  servers = await Promise.all(sources.map((source) => serveSource(source)));
  harness = await startOperatorHarness();
  engine = await harness.world.startEngine();
});

afterEach(async () => {
  expect(await harness.brokenInvariants()).toEqual([]);
});

afterAll(async () => {
  await harness[Symbol.asyncDispose]();
  for (const each of [...servers, ...sources]) await each[Symbol.asyncDispose]();
});

const remote = (index: number): string => servers[index]?.remoteUrl ?? "";
/** How many runs there are once nothing is due any more: a pair that keeps itself running never comes to that. */
async function runsAtRest(): Promise<number> {
  await engine.drain();
  return (await harness.world.database.query("SELECT id FROM runs")).rowCount;
}

const ask = (name: string): Promise<unknown> =>
  harness.patch("RepoSync", name, { metadata: { annotations: { "coregit.dev/requestedAt": "once more" } } });

describe("two RepoSyncs of one branch", () => {
  test("from different remotes: the first is ready, the second stalls and names what both have", async () => {
    await harness.create("RepoSync", "first", { remote: remote(0), interval: "0s" });
    await harness.untilReady("RepoSync", "first", "True", "Synced");
    await harness.create("RepoSync", "second", { remote: remote(1), repository: "first", interval: "0s" });
    const object = await harness.untilReady("RepoSync", "second", "False", "Conflict");
    expect(conditionOf(object, "Stalled")?.status).toBe("True");
    expect(readyOf(object).message).toContain("README.md");
    await harness.untilReady("RepoSync", "first", "True", "Synced");
  });

  test("that both overwrite are both ready, and the last one to run has the branch", async () => {
    const spec = { repository: "contested", onDivergence: "Overwrite", interval: "0s" };
    await harness.create("RepoSync", "contested-a", { ...spec, remote: remote(0) });
    await harness.untilReady("RepoSync", "contested-a", "True", "Synced");
    await harness.create("RepoSync", "contested-b", { ...spec, remote: remote(1) });
    await harness.untilReady("RepoSync", "contested-b", "True", "Synced");
    const before = await runsAtRest();
    expect(await runsAtRest()).toBe(before);
    await harness.untilReady("RepoSync", "contested-a", "True", "Synced");
  });

  test("that import from a remote and export to it come to rest, also after both sides changed", async () => {
    const spec = { repository: "there-and-back", branch: "main", interval: "0s", remote: remote(1) };
    await harness.create("RepoSync", "there", spec);
    await harness.untilReady("RepoSync", "there", "True", "Synced");
    await harness.create("RepoSync", "back", { ...spec, direction: "export" });
    await harness.untilReady("RepoSync", "back", "True", "Synced");
    const before = await runsAtRest();
    await sources[1]?.commit({ "there.md": "There\n" });
    await ask("there");
    await until("it was imported", async () => (await runsAtRest()) > before);
    await harness.untilReady("RepoSync", "there", "True", "Synced");
    await harness.untilReady("RepoSync", "back", "True", "Synced");
    expect(await runsAtRest()).toBeLessThanOrEqual(before + 4);
  });
});

describe("a name that is taken in another spelling", () => {
  test("of a branch stalls the RepoSync, and the branch that is there stays", async () => {
    await harness.create("RepoSync", "spelled", { remote: remote(0), interval: "0s" });
    await harness.untilReady("RepoSync", "spelled", "True", "Synced");
    const spec = { remote: remote(0), repository: "spelled", branch: "MAIN", remoteBranch: "main", interval: "0s" };
    await harness.create("RepoSync", "shouted", spec);
    const object = await harness.untilReady("RepoSync", "shouted", "False", "RefNameRefused");
    expect(conditionOf(object, "Stalled")?.status).toBe("True");
  });

  test("of a repository is refused by the API server, as no slug has upper case", async () => {
    const spec = { remote: remote(0), repository: "First" };
    await expect(harness.create("RepoSync", "capital", spec)).rejects.toMatchObject({ status: 422 });
  });
});
