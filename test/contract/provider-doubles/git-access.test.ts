// git itself against both doubles: the same repositories that the APIs show, credentials as the providers take them, and pushes
// refused in their words.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createTestCertificate } from "../../support/certificates.ts";
import { type GitResult, git, tryGit } from "../../support/git.ts";
import type { GitHubRepository } from "../../support/providers/github/repository.ts";
import { type GitHubDouble, startGitHub } from "../../support/providers/github/start.ts";
import type { GitLabProject } from "../../support/providers/gitlab/project.ts";
import { type GitLabDouble, startGitLab } from "../../support/providers/gitlab/start.ts";

const FILES = { a: "1", "bin/run": { mode: "100755", content: "x" }, link: { mode: "120000", content: "a" } } as const;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "coregit-clone-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const withUser = (url: string, user: string, token: string): string => url.replace("://", `://${user}:${token}@`);

/** Commits in the clone and pushes. */
async function change(url: string, files: Readonly<Record<string, string>>, ...push: string[]): Promise<GitResult> {
  const entries = Object.entries(files);
  for (const [path, content] of entries) {
    const oid = await git(["-C", folder, "hash-object", "-w", "--stdin"], { input: content });
    await git(["-C", folder, "update-index", "--add", "--cacheinfo", `100644,${oid},${path}`]);
  }
  await git(["-C", folder, "commit", "--quiet", "--allow-empty", "-m", "A change"]);
  return tryGit(["-C", folder, "push", ...push, url, "HEAD:refs/heads/main"]);
}

describe("git at the GitHub double", () => {
  let github: GitHubDouble;
  let repository: GitHubRepository;
  let url: string;

  beforeEach(async () => {
    github = await startGitHub();
    repository = await github.addRepository("octocat/hello", { isPrivate: true, files: FILES });
    url = withUser(github.gitUrl(repository), "x-access-token", github.addToken({ user: "octocat" }));
  });
  afterEach(() => github[Symbol.asyncDispose]());

  test("clones, shallow and filtered too, and pushes what the API then shows", async () => {
    await git(["clone", "--quiet", "--depth=1", "--filter=blob:none", url, folder]);
    const pushed = await change(url, { b: "2" });
    expect(pushed.code).toBe(0);
    expect(await repository.head()).toBe(await git(["-C", folder, "rev-parse", "HEAD"]));
    expect(github.requests.map(({ route }) => route)).toContain("git receive-pack");
    expect(new Set(github.requests.map(({ credential }) => credential?.scheme))).toEqual(new Set(["basic", undefined]));
  });

  test("is challenged without a credential, refused with a wrong one, and told of nothing without access", async () => {
    const tryClone = (address: string) => tryGit(["ls-remote", address]);
    const plain = github.gitUrl(repository);
    expect((await tryClone(plain)).stderr).toContain("could not read Username");
    expect((await tryClone(withUser(plain, "x", "wrong"))).stderr).toContain("Authentication failed");
    const stranger = withUser(plain, "x", github.addToken({ user: "stranger" }));
    expect((await tryClone(stranger)).stderr).toContain("not found");
    repository.requiresSso = true;
    expect((await tryClone(url)).stderr).toContain("403");
  });

  test("speaks TLS", async () => {
    const certificate = createTestCertificate(["IP:127.0.0.1"]);
    await using secure = await startGitHub({ tls: certificate });
    const shown = await secure.addRepository("octocat/hello", { files: FILES });
    const authority = join(folder, "ca.crt");
    await writeFile(authority, certificate.caPem);
    const listed = await git(["-c", `http.sslCAInfo=${authority}`, "ls-remote", secure.gitUrl(shown), "refs/heads/main"]);
    expect(listed).toContain(await shown.head());
  });

  test("follows a renamed repository", async () => {
    github.moveRepository(repository, "octocat/renamed");
    expect((await tryGit(["ls-remote", url])).code).toBe(0);
  });

  test("may not push without write access", async () => {
    await git(["clone", "--quiet", url, folder]);
    const reader = github.addToken({ user: "octocat", kind: "fine-grained", permissions: { contents: "read" } });
    const refused = await change(withUser(github.gitUrl(repository), "x", reader), { b: "2" });
    expect(refused.stderr).toContain("403");
  });

  test.each([
    ["protection", "GH006: Protected branch update failed for refs/heads/main.", "protected branch hook declined"],
    [
      "ruleset",
      "GH013: Repository rule violations found for refs/heads/main.",
      "push declined due to repository rule violations",
    ],
  ] as const)("hears of a %s", async (by, said, reason) => {
    repository.rules.push({ branch: "main", by, requires: "pullRequest" });
    await git(["clone", "--quiet", url, folder]);
    const { code, stderr } = await change(url, { b: "2" });
    expect([code, stderr]).toEqual([1, expect.stringContaining(said)]);
    expect(stderr).toContain(`(${reason})`);
    expect(await repository.head()).not.toBe(await git(["-C", folder, "rev-parse", "HEAD"]));
  });

  test("may go forward and not back where history is protected", async () => {
    repository.rules.push({ branch: "main", by: "protection", requires: "fastForward" });
    await git(["clone", "--quiet", url, folder]);
    expect((await change(url, { b: "2" })).code).toBe(0);
    const head = await repository.head();
    await git(["-C", folder, "reset", "--quiet", "--soft", "HEAD^"]);
    expect((await change(url, { b: "3" }, "--force")).stderr).toContain("Cannot force-push to this protected branch");
    expect(await repository.head()).toBe(head);
  });

  test("hears of workflows without the scope, of secrets and of large files", async () => {
    await git(["clone", "--quiet", url, folder]);
    const weak = withUser(github.gitUrl(repository), "x", github.addToken({ user: "octocat", scopes: ["repo"] }));
    const workflow = await change(weak, { ".github/workflows/ci.yml": "on: push" });
    expect(workflow.stderr).toContain(
      "refusing to allow a Personal Access Token to create or update workflow `.github/workflows/ci.yml` without `workflow` scope",
    );
    expect((await change(url, {})).code).toBe(0);
    repository.secret = "AKIA-EXAMPLE";
    expect((await change(url, { key: "AKIA-EXAMPLE" })).stderr).toContain("GITHUB PUSH PROTECTION");
    repository.secret = null;
    github.world.sizes.pushedBlobBytes = 50;
    expect((await change(url, { large: "x".repeat(51) })).stderr).toContain("GH001: Large files detected");
  });

  test("loses the race against the API by git's own lock", async () => {
    await git(["clone", "--quiet", url, folder]);
    github.faults.order(/^POST .*git-receive-pack$/, { kind: "before", run: () => repository.commit({ a: "from the side" }) });
    const { code, stderr } = await change(url, { b: "2" });
    expect([code, stderr]).toEqual([1, expect.stringContaining("[remote rejected]")]);
  });
});

describe("git at the GitLab double", () => {
  let gitlab: GitLabDouble;
  let project: GitLabProject;
  let url: string;

  beforeEach(async () => {
    gitlab = await startGitLab();
    project = await gitlab.addProject("group/sub/hello", {
      isPrivate: true,
      files: FILES,
      members: { dev: "developer", guest: "reporter" },
    });
    url = withUser(gitlab.gitUrl(project), "oauth2", gitlab.addToken({ user: "dev", scopes: ["write_repository"] }));
  });
  afterEach(() => gitlab[Symbol.asyncDispose]());

  test("clones and pushes nested groups with a token of any user name", async () => {
    await git(["clone", "--quiet", url, folder]);
    expect((await change(url.replace("oauth2", "anybody"), { b: "2" })).code).toBe(0);
    expect(await project.head()).toBe(await git(["-C", folder, "rev-parse", "HEAD"]));
    expect(gitlab.requests[0]).toMatchObject({ status: 401, credential: null });
  });

  test("needs the scope and the role", async () => {
    const plain = gitlab.gitUrl(project);
    const asUser = (user: string, scopes: readonly ("read_repository" | "read_user" | "write_repository")[]) =>
      withUser(plain, "x", gitlab.addToken({ user, scopes }));
    expect((await tryGit(["ls-remote", asUser("dev", ["read_user"])])).stderr).toContain("403");
    expect((await tryGit(["ls-remote", asUser("stranger", ["read_repository"])])).stderr).toContain("not found");
    await git(["clone", "--quiet", asUser("guest", ["read_repository"]), folder]);
    expect((await change(asUser("guest", ["write_repository"]), { b: "2" })).stderr).toContain("403");
    expect((await change(asUser("dev", ["read_repository"]), {})).stderr).toContain("403");
  });

  test("hears of protected branches and push rules", async () => {
    await git(["clone", "--quiet", url, folder]);
    project.protectedBranches.push({ name: "ma*", push: 40, allowsForcePush: false });
    const refused = await change(url, { b: "2" });
    expect(refused.stderr).toContain("GitLab: You are not allowed to push code to protected branches on this project.");
    expect(refused.stderr).toContain("(pre-receive hook declined)");
    project.protectedBranches.length = 0;
    project.pushRule = "Commit message does not follow the pattern 'JIRA'";
    expect((await change(url, {})).stderr).toContain("Commit message does not follow the pattern");
  });
});
