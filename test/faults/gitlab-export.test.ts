// Exports by GitLab's API on bad days: each request of a run in turn goes wrong in each way, replicas lag. Whatever happens, the next
// good run ends with equal trees and one commit for each change.
import { describe, expect, it } from "vitest";
import { stageGitLab } from "../support/export-stage.ts";
import type { Fault } from "../support/providers/faults.ts";
import type { ServedGitLab } from "../support/served-gitlab.ts";

const stage = stageGitLab();

const NOTHING: Fault = { kind: "before", run: async () => undefined };

/** The head, the project, the commit. */
const REQUESTS = 3;

/** Exports a change while the fault meets the run's request of this index. */
async function exportMeeting(here: ServedGitLab, fault: Fault, index: number): Promise<void> {
  const before = await here.commitsThere();
  await here.editHere({ text: `${index + 1}\n`, binary: `\0${index}` });
  stage.orderAt(index, fault);
  const status = await here.runAgain();
  stage.double.faults.clear();
  if (status.lastError !== null) expect((await here.runAgain()).lastError).toBeNull();
  expect([index, await here.commitsThere(), await here.treeThere()]).toEqual([index, before + 1, await here.treeHere()]);
  expect((await here.runs())[0]).toMatchObject({ status: "success", commitSha: await here.remote.head() });
}

describe("one change", () => {
  it("takes these requests", async () => {
    const here = await stage.exported();
    await exportMeeting(here, NOTHING, 0);
    expect(stage.double.requests.length).toBe(REQUESTS);
  });

  it.each<[what: string, fault: Fault]>([
    ["a broken connection", { kind: "reset" }],
    ["an answer that is lost", { kind: "loseAnswer" }],
    ["a bad gateway after all was done", { kind: "answerAfter", status: 502, body: "<html>Bad Gateway</html>" }],
    ["half an answer", { kind: "halfAnswer", end: "complete" }],
    ["a maintenance page", { kind: "answer", status: 503, body: "<html>GitLab is down</html>" }],
  ])("becomes one commit, whichever of them meets %s", async (_, fault) => {
    const here = await stage.exported();
    for (let index = 0; index < REQUESTS; index += 1) await exportMeeting(here, fault, index);
  });
});

describe("replicas that lag", () => {
  it("are not taken for a branch that did not move", async () => {
    const here = await stage.exported();
    await here.editHere({ text: "1\n" });
    stage.double.faults.order(/POST .*\/repository\/commits/, { kind: "loseAnswer" });
    here.remote.lag(1);
    const before = await here.commitsThere();
    const status = await here.runAgain();
    if (status.lastError !== null) await here.runAgain();
    expect(await here.commitsThere()).toBe(before + 1);
    expect((await here.runs())[0]).toMatchObject({ status: "success", commitSha: await here.remote.head() });
  });
});
