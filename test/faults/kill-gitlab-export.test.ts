// kill -9 of a process that exports by GitLab's API, after each of its requests.
import { expect, it } from "vitest";
import { killAfterEachRequest } from "../support/killed-exporter.ts";
import { startGitLab } from "../support/providers/gitlab/start.ts";
import { README } from "../support/served-remote.ts";

it("a worker killed after any of its requests leaves nothing undone and nothing done twice", async () => {
  await using gitlab = await startGitLab();
  const { git, fullPath: remote } = await gitlab.addProject("group/kill", { isPrivate: true, files: README });
  const { url, faults } = gitlab;
  const token = gitlab.addToken({ user: "group" });
  const exported = await killAfterEachRequest({ provider: "gitlab", url, token, remote, git, faults });
  // The head, which project it is, the commit: it was killed after each.
  expect(exported).toBeGreaterThanOrEqual(3);
}, 120_000);
