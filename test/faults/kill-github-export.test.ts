// kill -9 of a process that exports by GitHub's API, after each of its requests.
import { expect, it } from "vitest";
import { killAfterEachRequest } from "../support/killed-exporter.ts";
import { startGitHub } from "../support/providers/github/start.ts";
import { README } from "../support/served-remote.ts";

it("a worker killed after any of its requests leaves nothing undone and nothing done twice", async () => {
  await using github = await startGitHub();
  const { git, fullName: remote } = await github.addRepository("octocat/kill", { isPrivate: true, files: README });
  const { url, faults } = github;
  const token = github.addToken({ user: "octocat" });
  const exported = await killAfterEachRequest({ provider: "github", url, token, remote, git, faults });
  // The head, what the repository is, a blob, a tree, the commit, the branch: it was killed after each.
  expect(exported).toBeGreaterThanOrEqual(6);
}, 120_000);
