// Exports by GitHub's API of which each request in turn goes wrong in each way. Whatever happens, the next good run ends with equal
// trees and one commit for each change.
import { beforeAll, describe, expect, it } from "vitest";
import { stageGitHub } from "../support/export-stage.ts";
import type { Fault } from "../support/providers/faults.ts";

const stage = stageGitHub();
// What a minute allows is no matter of these tests.
beforeAll(() => {
  stage.double.limits.isEnabled = false;
});

describe("one change of a text and a binary file", () => {
  const FAULTS: readonly Fault[] = [
    { kind: "reset" },
    { kind: "loseAnswer" },
    { kind: "answerAfter", status: 502, body: "<html>Bad Gateway</html>" },
    { kind: "halfAnswer", end: "complete" },
    { kind: "answer", status: 503, body: "<html>Unicorn</html>", headers: { "content-type": "text/html" } },
  ];
  /** The head; which repository it is, and its state; a blob, a tree, the commit, the branch. */
  const REQUESTS = [
    "git upload-pack",
    "POST /graphql",
    "POST /repos/{owner}/{repo}/git/blobs",
    "POST /repos/{owner}/{repo}/git/trees",
    "POST /repos/{owner}/{repo}/git/commits",
    "POST /graphql",
  ];

  it("takes these requests", async () => {
    const here = await stage.exported();
    await here.editHere({ text: "1\n", binary: "\u00001" });
    await here.runAgain();
    expect(stage.double.requests.map(({ route }) => route)).toEqual(REQUESTS);
  });

  it.each(FAULTS)("is one commit, whichever request meets $kind", async (fault) => {
    const here = await stage.exported();
    for (let index = 0; index < REQUESTS.length; index += 1) {
      const before = await here.commitsThere();
      const local = await here.editHere({ text: `${index}, again\n`, binary: `\0${index}` });
      stage.orderAt(index, fault);
      const status = await here.runAgain();
      expect(stage.double.faults.pending).toBe(0);
      const healed = status.lastError === null ? status : await here.runAgain();
      expect(healed, `request ${index}: ${status.lastError}`).toMatchObject({ lastError: null, lastSyncedSha: local });
      expect(await here.treeThere()).toBe(await here.treeHere());
      expect(await here.commitsThere()).toBe(before + 1);
    }
    await here.remote.git.source.git("fsck", "--strict", "--connectivity-only");
  });
});
