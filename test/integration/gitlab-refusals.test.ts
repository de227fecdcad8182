// Each refusal of an export by GitLab's API has its own code and says what to change, leaves the branch as it was, and is over
// when its cause is.
import { beforeEach, describe, expect, it } from "vitest";
import type { ErrorCode } from "../../src/domain/errors.ts";
import { stageGitLab } from "../support/export-stage.ts";
import { ROLE } from "../support/providers/gitlab/credentials.ts";
import { fingerprint } from "../support/providers/identifiers.ts";
import type { ServedGitLab, ServedGitLabOptions } from "../support/served-gitlab.ts";
import { README } from "../support/served-remote.ts";

const stage = stageGitLab();
beforeEach(() => stage.double.faults.clear());

const COMMITS = /POST .*\/repository\/commits/;

type Arranged = ServedGitLabOptions & { readonly arrange?: (here: ServedGitLab) => void };
type Refused = { readonly here: ServedGitLab; readonly message: string };

/** Exports one file and expects the refusal; the remote's branch is where it was. */
async function refusal(code: ErrorCode, { arrange, ...options }: Arranged): Promise<Refused> {
  const here = await stage.serve(options);
  arrange?.(here);
  const before = await here.remote.head();
  await here.editHere({ ...README, a: "1\n" });
  const status = await here.declare({ transport: "api" });
  expect(status.lastErrorCode, status.lastError ?? "no error").toBe(code);
  expect(await here.remote.head()).toBe(before);
  expect((await here.runs())[0]).toMatchObject({ status: "error", code, commitSha: null });
  expect(status.lastError).not.toContain(here.token);
  return { here, message: status.lastError ?? "" };
}

async function heals(here: ServedGitLab): Promise<void> {
  stage.double.faults.clear();
  // What is for good is tried again when something has changed.
  await here.editHere({ b: "1\n" });
  expect((await here.runAgain()).lastError).toBeNull();
  expect(await here.treeThere()).toBe(await here.treeHere());
  expect(await here.commitsThere()).toBe(2);
}

const saying = (status: number, body: object | string, headers: Readonly<Record<string, string>> = {}) => ({
  arrange: () =>
    stage.double.faults.order(
      COMMITS,
      {
        kind: "answer",
        status,
        headers: { "content-type": "application/json", ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      },
      Number.POSITIVE_INFINITY,
    ),
});

describe("GitLab refuses", () => {
  it("a protected branch", async () => {
    const protection = { name: "main", push: ROLE.owner, allowsForcePush: false };
    const { here, message } = await refusal("RemoteBranchProtected", {
      arrange: ({ remote }) => remote.protectedBranches.push(protection),
    });
    expect(message).toMatch(/main .*protected.*Let this credential push to it, or export to another one/);
    here.remote.protectedBranches.length = 0;
    await heals(here);
  });

  it("a commit against a push rule", async () => {
    const rule = "Commit message does not follow the pattern '^JIRA-'";
    const { here, message } = await refusal("RemoteRefused", {
      arrange: ({ remote }) => {
        remote.pushRule = rule;
      },
    });
    expect(message).toContain(rule);
    expect(message).toContain("Change what its rule names, or the rule");
    here.remote.pushRule = null;
    await heals(here);
  });

  it("an archived project", async () => {
    const { here, message } = await refusal("RemoteArchived", {
      arrange: ({ remote }) => {
        remote.isArchived = true;
      },
    });
    expect(message).toMatch(/archived.*Unarchive it/);
    here.remote.isArchived = false;
    await heals(here);
  });

  it("a token without the scope `api`", async () => {
    const { message } = await refusal("AccessDenied", { scopes: ["read_repository", "write_repository"] });
    expect(message).toMatch(/lacks the scope `api`.*transport: git/);
  });

  it("a member who may only read", async () => {
    const { here, message } = await refusal("AccessDenied", { role: "reporter" });
    expect(message).toContain("role Developer");
    stage.double.setRole(here.remote, stage.double.world.tokens.get(here.token)?.user.username ?? "", "developer");
    await heals(here);
  });

  it.each<[what: string, code: ErrorCode, said: ReturnType<typeof saying>, words: RegExp]>([
    [
      "a file above its limit",
      "RemoteTooLarge",
      saying(400, { message: "You are attempting to check in one or more files which exceed the limit of 1 MiB" }),
      /Leave the file out/,
    ],
    [
      "a repository above its limit",
      "RemoteTooLarge",
      saying(400, {
        message: "Your push to this repository has been rejected because this repository has exceeded its size limit of 10 MB",
      }),
      /raise the project's limit/,
    ],
    ["a request above the proxy's limit", "RemoteTooLarge", saying(413, "<html>413</html>"), /HTTP 413/],
    ["a secret", "SecretDetected", saying(400, { message: "PUSH BLOCKED: Secrets detected in code changes" }), /Take it out/],
    [
      "a branch that only merge requests change",
      "RemoteBranchProtected",
      saying(400, { message: "GitLab: You are not allowed to push code to protected branches on this project." }),
      /export to another one/,
    ],
    [
      "a form that it does not know",
      "RemoteProtocol",
      saying(400, { message: "400 Bad request - actions is required" }),
      /actions is required/,
    ],
    ["what it does not explain", "RemoteRefused", saying(422, {}), /HTTP 422/],
  ])("%s", async (_, code, said, words) => {
    const { here, message } = await refusal(code, said);
    expect(message).toMatch(words);
    await heals(here);
  });

  it("to be asked before its time, and is not", async () => {
    const { here } = await refusal(
      "RateLimited",
      saying(429, "Retry later\n", { "content-type": "text/plain", "retry-after": "61" }),
    );
    // Syncs of other tests may be due again.
    const ours = stage.double.requests.filter(({ credential }) => credential?.fingerprint === fingerprint(here.token));
    const posts = ours.filter(({ method, route }) => method === "POST" && route === null);
    expect(posts.length).toBe(1);
    const status = await stage.world.declarations.readSync((await here.runs())[0]?.syncId ?? "");
    expect(Date.parse(status?.nextRunAt ?? "")).toBeGreaterThan(Date.now() + 50_000);
  });

  it("a token that was revoked between two exports", async () => {
    const here = await stage.serve();
    await here.editHere({ ...README, a: "1\n" });
    await here.declare();
    await here.editHere({ a: "2\n" });
    stage.double.faults.order(COMMITS, { kind: "before", run: async () => stage.double.revokeToken(here.token) });
    expect(await here.runAgain()).toMatchObject({ lastErrorCode: "AuthenticationFailed" });
    expect(await here.commitsThere()).toBe(2);
  });
});

describe("a token for git alone", () => {
  it("exports by git without being asked to", async () => {
    const here = await stage.serve({ scopes: ["read_repository", "write_repository"] });
    await here.editHere({ ...README, a: "1\n" });
    expect((await here.declare()).lastError).toBeNull();
    expect(await here.treeThere()).toBe(await here.treeHere());
    expect(stage.double.requests.filter(({ route }) => route === "git receive-pack")).toHaveLength(1);
  });
});
