// Exports by GitLab's API on bad days: each request of a run in turn goes wrong in each way, replicas lag. Whatever happens, the next
// good run ends with equal trees and one commit for each change.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Engine } from "../../src/sync/engine.ts";
import type { Fault } from "../support/providers/faults.ts";
import { type GitLabDouble, startGitLab } from "../support/providers/gitlab/start.ts";
import { README, type ServedGitLab, serveGitLab } from "../support/served-gitlab.ts";
import { openSyncWorld, type SyncWorld } from "../support/sync-world.ts";

let gitlab: GitLabDouble;
let world: SyncWorld;
let engine: Engine;
beforeAll(async () => {
  gitlab = await startGitLab();
  world = await openSyncWorld();
  engine = await world.startEngine();
});
beforeEach(() => gitlab.clear());
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await gitlab[Symbol.asyncDispose]();
});

const NOTHING: Fault = { kind: "before", run: async () => undefined };

/** One that has been exported once by the API, so that each further change takes the same requests. */
async function exported(): Promise<ServedGitLab> {
  const here = await serveGitLab(world, engine, gitlab);
  await here.editHere({ ...README, text: "0\n" });
  expect((await here.declare({ transport: "api" })).lastError).toBeNull();
  gitlab.clear();
  return here;
}

/** The head, the project, the commit. */
const REQUESTS = 3;

/** Exports a change while the fault meets the run's request of this index. */
async function exportMeeting(here: ServedGitLab, fault: Fault, index: number): Promise<void> {
  const before = await here.commitsThere();
  await here.editHere({ text: `${index + 1}\n`, binary: `\0${index}` });
  if (index > 0) gitlab.faults.order(/./, NOTHING, index);
  gitlab.faults.order(/./, fault);
  const status = await here.runAgain();
  gitlab.faults.clear();
  if (status.lastError !== null) expect((await here.runAgain()).lastError).toBeNull();
  expect([index, await here.commitsThere(), await here.treeThere()]).toEqual([index, before + 1, await here.treeHere()]);
  expect((await here.runs())[0]).toMatchObject({ status: "success", commitSha: await here.remote.head() });
}

describe("one change", () => {
  it("takes these requests", async () => {
    const here = await exported();
    await exportMeeting(here, NOTHING, 0);
    expect(gitlab.requests.length).toBe(REQUESTS);
  });

  it.each<[what: string, fault: Fault]>([
    ["a broken connection", { kind: "reset" }],
    ["an answer that is lost", { kind: "loseAnswer" }],
    ["a bad gateway after all was done", { kind: "answerAfter", status: 502, body: "<html>Bad Gateway</html>" }],
    ["half an answer", { kind: "halfAnswer", end: "complete" }],
    ["a maintenance page", { kind: "answer", status: 503, body: "<html>GitLab is down</html>" }],
  ])("becomes one commit, whichever of them meets %s", async (_, fault) => {
    const here = await exported();
    for (let index = 0; index < REQUESTS; index += 1) await exportMeeting(here, fault, index);
  });
});

describe("replicas that lag", () => {
  it("are not taken for a branch that did not move", async () => {
    const here = await exported();
    await here.editHere({ text: "1\n" });
    gitlab.faults.order(/POST .*\/repository\/commits/, { kind: "loseAnswer" });
    here.remote.lag(1);
    const before = await here.commitsThere();
    const status = await here.runAgain();
    if (status.lastError !== null) await here.runAgain();
    expect(await here.commitsThere()).toBe(before + 1);
    expect((await here.runs())[0]).toMatchObject({ status: "success", commitSha: await here.remote.head() });
  });
});
