// Exports by GitHub's API of which each request in turn goes wrong in each way. Whatever happens, the next good run ends with equal
// trees and one commit for each change.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Engine } from "../../src/sync/engine.ts";
import type { Fault } from "../support/providers/faults.ts";
import { type GitHubDouble, startGitHub } from "../support/providers/github/start.ts";
import { README, type ServedGitHub, serveGitHub } from "../support/served-github.ts";
import { openSyncWorld, type SyncWorld } from "../support/sync-world.ts";

let github: GitHubDouble;
let world: SyncWorld;
let engine: Engine;
beforeAll(async () => {
  github = await startGitHub();
  // What a minute allows is no matter of these tests.
  github.limits.isEnabled = false;
  world = await openSyncWorld();
  engine = await world.startEngine();
});
beforeEach(() => github.clear());
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await github[Symbol.asyncDispose]();
});

const nothing: Fault = { kind: "before", run: async () => undefined };

/** The fault meets the `index`th request from now on that matches. */
function orderAt(index: number, fault: Fault, matching = /./): void {
  if (index > 0) github.faults.order(matching, nothing, index);
  github.faults.order(matching, fault);
}

const commits = async ({ remote }: ServedGitHub) => Number(await remote.git.source.git("rev-list", "--count", "main"));

/** One that has been exported once by the API, so that each further change takes the same requests. */
async function exported(): Promise<ServedGitHub> {
  const here = await serveGitHub(world, engine, github);
  await here.editHere({ ...README, text: "0\n" });
  expect((await here.declare({ transport: "api" })).lastError).toBeNull();
  github.clear();
  return here;
}

describe("one change of a text and a binary file", () => {
  const FAULTS: readonly Fault[] = [
    { kind: "reset" },
    { kind: "loseAnswer" },
    { kind: "answerAfter", status: 502, body: "<html>Bad Gateway</html>" },
    { kind: "halfAnswer", end: "complete" },
    { kind: "answer", status: 503, body: "<html>Unicorn</html>", headers: { "content-type": "text/html" } },
  ];
  /** The head; which repository it is; its id and state, a blob, a tree, the commit, the branch. */
  const REQUESTS = [
    "git upload-pack",
    "GET /repos/{owner}/{repo}",
    "POST /graphql",
    "POST /repos/{owner}/{repo}/git/blobs",
    "POST /repos/{owner}/{repo}/git/trees",
    "POST /repos/{owner}/{repo}/git/commits",
    "POST /graphql",
  ];

  it("takes these requests", async () => {
    const here = await exported();
    await here.editHere({ text: "1\n", binary: "\u00001" });
    await here.runAgain();
    expect(github.requests.map(({ route }) => route)).toEqual(REQUESTS);
  });

  it.each(FAULTS)("is one commit, whichever request meets $kind", async (fault) => {
    const here = await exported();
    for (let index = 0; index < REQUESTS.length; index += 1) {
      const before = await commits(here);
      const local = await here.editHere({ text: `${index}, again\n`, binary: `\0${index}` });
      orderAt(index, fault);
      const status = await here.runAgain();
      expect(github.faults.pending).toBe(0);
      const healed = status.lastError === null ? status : await here.runAgain();
      expect(healed, `request ${index}: ${status.lastError}`).toMatchObject({ lastError: null, lastSyncedSha: local });
      expect(await here.treeThere()).toBe(await here.treeHere());
      expect(await commits(here)).toBe(before + 1);
    }
    await here.remote.git.source.git("fsck", "--strict", "--connectivity-only");
  });
});
