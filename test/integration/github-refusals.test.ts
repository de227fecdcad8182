// Each refusal of an export by GitHub's API has its own code and says what to change, leaves the branch as it was, and is
// over when its cause is.
import { describe, expect, it } from "vitest";
import type { ErrorCode } from "../../src/domain/errors.ts";
import { stageGitHub } from "../support/export-stage.ts";
import type { BranchRule } from "../support/providers/github/protection.ts";
import type { ServedGitHub, ServedGitHubOptions } from "../support/served-github.ts";
import { README } from "../support/served-remote.ts";
import type { SourceFile } from "../support/source-repository.ts";

const stage = stageGitHub();

type Refused = { readonly here: ServedGitHub; readonly message: string };

/** Exports `files` and expects the refusal; the remote's branch is where it was. */
async function refusal(
  code: ErrorCode,
  options: ServedGitHubOptions & { readonly arrange?: (here: ServedGitHub) => void },
  files: Readonly<Record<string, SourceFile>> = { a: "1\n" },
): Promise<Refused> {
  const here = await stage.serve(options);
  options.arrange?.(here);
  const before = await here.head();
  await here.editHere({ ...README, ...files });
  const status = await here.declare({ transport: "api" });
  expect(status.lastErrorCode, status.lastError ?? "no error").toBe(code);
  expect(await here.head()).toBe(before);
  const runs = await here.runs();
  expect(runs[0]).toMatchObject({ status: "error", code, commitSha: null });
  // A machine that is slow may have tried again by now, and be refused for what was arranged meanwhile.
  return { here, message: runs.at(-1)?.message ?? "" };
}

async function heals(here: ServedGitHub): Promise<void> {
  expect((await here.runAgain()).lastError).toBeNull();
  expect(await here.treeThere()).toBe(await here.treeHere());
}

const classic = (scopes: readonly string[]): ServedGitHubOptions => ({
  credential: () => ({ kind: "token", token: stage.double.addToken({ user: "octocat", scopes }) }),
});
const fineGrained = (contents: "read" | "write"): ServedGitHubOptions => ({
  credential: () => {
    const permissions = { contents, metadata: "read" } as const;
    return { kind: "token", token: stage.double.addToken({ user: "octocat", kind: "fine-grained", permissions }) };
  },
});
const WORKFLOW = { ".github/workflows/ci.yml": "on: push\n" };

describe("GitHub refuses", () => {
  it.each<[string, BranchRule["requires"], BranchRule["by"], ErrorCode, RegExp]>([
    ["a protected branch", "pullRequest", "protection", "RemoteBranchProtected", /protects main.*Let the credential push/],
    ["a branch that only some may push to", "nobody", "protection", "RemoteBranchProtected", /not authorized|authorized to push/],
    ["a branch with status checks", "statusChecks", "protection", "RemoteBranchProtected", /Required status check/],
    ["a commit without a signature", "signatures", "protection", "RemoteBranchProtected", /verified signatures/],
    ["a commit against a ruleset", "pullRequest", "ruleset", "RemoteRefused", /A ruleset of octocat.*change the rule/],
  ])("%s", async (_what, requires, by, code, words) => {
    const { here, message } = await refusal(code, {
      arrange: ({ remote }) => remote.rules.push({ branch: "main", by, requires }),
    });
    expect(message).toMatch(words);
    here.remote.rules.length = 0;
    await heals(here);
  });

  it("a branch that must not be made", async () => {
    const here = await stage.serve();
    here.remote.rules.push({ branch: "next", by: "ruleset", requires: "noCreation" });
    await here.editHere({ a: "1\n" });
    const status = await here.declare({ transport: "api", remoteBranch: "next" });
    expect(status.lastErrorCode).toBe("RemoteBranchProtected");
  });

  it.each([
    ["a classic token", classic(["repo"]), /scope workflow/],
    ["a fine-grained token", fineGrained("write"), /Workflows: write/],
  ])("workflow files of %s that may not write them", async (_kind, options, words) => {
    const { message } = await refusal("WorkflowScopeMissing", options, WORKFLOW);
    expect(message).toMatch(words);
  });

  it.each([
    ["a classic token without the scope, of a public repository", { ...classic(["read:org"]), isPrivate: false }, /public_repo/],
    ["a fine-grained token that may read", fineGrained("read"), /Contents: write/],
    ["the same where workflow files are among the files", { ...fineGrained("read"), isPrivate: false }, /Contents: write/],
  ])("%s", async (_what, options, words) => {
    const files = _what.includes("workflow") ? WORKFLOW : { a: "1\n" };
    const { message } = await refusal("AccessDenied", options, files);
    expect(message).toMatch(words);
  });

  it("a token that the organization has not authorized", async () => {
    const { here, message } = await refusal("AccessDenied", {
      arrange: ({ remote }) => {
        const run = async () => {
          remote.requiresSso = true;
        };
        stage.double.faults.order(new RegExp(`POST .*/${remote.fullName}/git/trees`), { kind: "before", run });
      },
    });
    expect(message).toMatch(/authorized for single sign-on/);
    here.remote.requiresSso = false;
    await heals(here);
  });

  it("a secret in a text file and in a binary one, which it names", async () => {
    const arrange = ({ remote }: ServedGitHub) => {
      remote.secret = "SECRET-0123";
    };
    const text = await refusal("SecretDetected", { arrange }, { config: "token: SECRET-0123\n" });
    expect(text.message).toMatch(/push protection.*Take it out/);
    const binary = await refusal("SecretDetected", { arrange }, { "keys.bin": "\0SECRET-0123" });
    expect(binary.message).toContain("keys.bin");
    text.here.remote.secret = null;
    await heals(text.here);
  });

  it("a file that is too large for its API, which it names", async () => {
    const before = stage.double.world.sizes.blobBytes;
    stage.double.world.sizes.blobBytes = 1000;
    const { message } = await refusal("RemoteTooLarge", {}, { "movie.bin": `\0${"x".repeat(2000)}` });
    stage.double.world.sizes.blobBytes = before;
    expect(message).toMatch(/movie\.bin.*set transport to git/);
  });

  it("a repository that is archived", async () => {
    const { here } = await refusal("RemoteArchived", {
      arrange: ({ remote }) => {
        remote.isArchived = true;
      },
    });
    here.remote.isArchived = false;
    await heals(here);
  });

  it("a token that is revoked between two requests", async () => {
    let token = "";
    const credential = () => {
      token = stage.double.addToken({ user: "octocat" });
      return { kind: "token" as const, token };
    };
    stage.double.faults.order(/POST .*git\/trees/, { kind: "after", run: async () => stage.double.revokeToken(token) });
    await refusal("AuthenticationFailed", { credential });
  });

  it.each([
    ["blobs", { a: "\0binary" }],
    ["trees", { a: "1\n" }],
    ["commits", { a: "1\n" }],
  ] as const)("%s of a repository that is not ready yet", async (what, files) => {
    const body = JSON.stringify({ message: "Git Repository is empty.", status: "409" });
    const headers = { "content-type": "application/json" };
    stage.double.faults.order(new RegExp(`git/${what}`), { kind: "answer", status: 409, body, headers }, 50);
    const { here } = await refusal("RemoteMoved", {}, files);
    const asked = here.apiCalls().filter(({ path }) => path.endsWith(`/${here.remote.fullName}/git/${what}`));
    stage.double.faults.clear();
    // Once for each of three looks at the branch: no request waits for it to be ready.
    expect(asked.length).toBeLessThanOrEqual(3 * (await here.runs()).length);
    await heals(here);
  });

  it.each([403, 429] as const)("more writes for now, with HTTP %i and a time that is waited for", async (status) => {
    const before = Date.now();
    const arrange = () => stage.double.throttle(lastToken, { kind: "secondary", status, retryAfterSeconds: 120 });
    let lastToken = "";
    const credential = () => {
      lastToken = stage.double.addToken({ user: `throttled-${status}` });
      return { kind: "token" as const, token: lastToken };
    };
    const here = await stage.serve({ credential, isPrivate: false });
    here.remote.collaborators.set(`throttled-${status}`, "write");
    stage.double.faults.order(/POST .*git\/commits/, { kind: "before", run: async () => arrange() });
    await here.editHere({ ...README, a: "1\n" });
    const failed = await here.declare({ transport: "api" });
    expect(failed.lastErrorCode).toBe("RateLimited");
    const { rows } = await stage.world.database.query<{ next: Date }>("SELECT next_run_at AS next FROM syncs WHERE id = $1", [
      failed.id,
    ]);
    expect(Number(rows[0]?.next) - before).toBeGreaterThan(115_000);
  });
});
