// Pushing through the port to a real git server and to a folder: compare-and-swap, refusals, and answers that are lost.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Oid } from "../../src/domain/oid.ts";
import { runLocalReceivePack } from "../../src/git/local-receive-pack.ts";
import { runLocalUploadPack } from "../../src/git/local-upload-pack.ts";
import type { Remote } from "../../src/remotes/remote.ts";
import type { GitHttpServerOptions } from "../support/git-http-server.ts";
import { commitToPush, installHook, type PushedCommit } from "../support/pushed-commit.ts";
import { createSourceRepository, type SourceRepository } from "../support/source-repository.ts";
import { deadline, failureOf, openTestRemotes, serveSource } from "../support/test-remotes.ts";

let there: SourceRepository;
let first: Oid;

beforeEach(async () => {
  there = await createSourceRepository();
  first = await there.commit({ a: "1" });
});
afterEach(() => there[Symbol.asyncDispose]());

const AUTH = { username: "ada", password: "s3cret-of-ada" };
const CREDENTIAL = { kind: "basic", ...AUTH } as const;

async function serve(options: Omit<GitHttpServerOptions, "root"> = {}, limits = {}) {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await serveSource(there, { basicAuth: AUTH, ...options }));
  const remotes = stack.use(openTestRemotes({ limits }));
  const remote = stack.use(remotes.open(server.remoteUrl, { credential: CREDENTIAL }));
  const owned = stack.move();
  return { server, remotes, remote, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

const push = (remote: Remote, commit: PushedCommit, expected: Oid | null = first, branch = "main") =>
  remote.push({ branch, expected, next: commit.oid }, commit.pack(), deadline());

describe("a push", () => {
  test("moves the branch from the commit that is named, in two requests", async () => {
    await using served = await serve();
    const commit = await commitToPush(there, "2");
    await push(served.remote, commit);
    expect(await there.head()).toBe(commit.oid);
    expect(served.remote.calls).toBe(2);
    expect(served.server.requests.map(({ headers }) => headers.authorization)).toEqual(["Basic", "Basic"]);
  });

  test("makes a branch that must not exist, also in an empty remote", async () => {
    await using empty = await createSourceRepository();
    await using server = await serveSource(empty);
    await using remotes = openTestRemotes();
    await using remote = remotes.open(server.remoteUrl);
    const commit = await commitToPush(empty, "1");
    await push(remote, commit, null, "new");
    expect(await empty.head("new")).toBe(commit.oid);
    const again = await commitToPush(empty, "2", "new");
    expect(await failureOf(push(remote, again, null, "new"))).toMatchObject({ code: "RemoteMoved" });
  });

  test("of more than a request can say beforehand is sent as it is made", async () => {
    await using served = await serve();
    const commit = await commitToPush(
      there,
      Buffer.from(Array.from({ length: 3_000_000 }, () => Math.floor(Math.random() * 256))),
    );
    await push(served.remote, commit);
    expect(await there.head()).toBe(commit.oid);
    expect(served.server.requests.at(-1)?.headers["transfer-encoding"]).toBe("chunked");
  });

  test("of a stale commit is told apart before anything is sent", async () => {
    await using served = await serve();
    const commit = await commitToPush(there, "2");
    const theirs = await there.commit({ a: "theirs" });
    expect(await failureOf(push(served.remote, commit))).toMatchObject({ code: "RemoteMoved" });
    expect(await there.head()).toBe(theirs);
    expect(served.remote.calls).toBe(1);
  });

  test("ends when its own pack fails, and changes nothing", async () => {
    await using served = await serve();
    const commit = await commitToPush(there, Buffer.alloc(3_000_000, "x"));
    const broken = async function* () {
      yield* [Buffer.alloc(2_000_000)];
      throw new Error("the pack broke");
    };
    const request = { branch: "main", expected: first, next: commit.oid };
    await expect(served.remote.push(request, broken(), deadline())).rejects.toThrow("the pack broke");
    expect(await there.head()).toBe(first);
  });

  test("that fails before anybody takes its pack lets go of the pack", async () => {
    await using served = await serve();
    const commit = await commitToPush(there, "2");
    let isReleased = false;
    const pack = async function* () {
      try {
        await served.server[Symbol.asyncDispose]();
        for (;;) yield Buffer.alloc(1 << 20);
      } finally {
        isReleased = true;
      }
    };
    const request = { branch: "main", expected: first, next: commit.oid };
    expect(await failureOf(served.remote.push(request, pack(), deadline()))).toMatchObject({ code: "RemoteUnreachable" });
    expect(isReleased).toBe(true);
  });

  test("is given up when the remote stops taking it", async () => {
    await using served = await serve({}, { lowSpeedMs: 200, pushAnswerMs: 20_000 });
    served.server.fault = ({ path }) => (path.endsWith("/git-receive-pack") ? { kind: "silence" } : null);
    const commit = await commitToPush(there, "2");
    const endless = async function* () {
      for (;;) yield Buffer.alloc(1 << 20);
    };
    const request = { branch: "main", expected: first, next: commit.oid };
    expect(await failureOf(served.remote.push(request, endless(), deadline()))).toMatchObject({ code: "RemoteTooSlow" });
  });
});

describe("an answer that is lost", () => {
  test.each([
    { kind: "break", afterBytes: 0 },
    { kind: "truncate", afterBytes: 3 },
  ] as const)("($kind) after the remote has done it is settled by looking", async (fault) => {
    await using served = await serve();
    served.server.fault = ({ path }) => (path.endsWith("/git-receive-pack") ? fault : null);
    const commit = await commitToPush(there, "2");
    await push(served.remote, commit);
    expect(await there.head()).toBe(commit.oid);
  });

  test("before the remote has done it is a failure, and the branch is as it was", async () => {
    await using served = await serve();
    served.server.fault = ({ path }) => (path.endsWith("/git-receive-pack") ? { kind: "reset" } : null);
    expect(await failureOf(push(served.remote, await commitToPush(there, "2")))).toMatchObject({ code: "RemoteUnreachable" });
    expect(await there.head()).toBe(first);
  });
});

describe("a remote that refuses", () => {
  test.each([
    [
      "protected branch",
      "echo 'GitLab: You are not allowed to push code to protected branches.' >&2; exit 1",
      "RemoteBranchProtected",
    ],
    ["a large file", "echo 'error: GH001: Large files detected.' >&2; exit 1", "RemoteTooLarge"],
    ["a rule of its own", "echo 'No commits on Fridays' >&2; exit 1", "RemoteRefused"],
  ])("for %s is quoted under the right code", async (_what, hook, code) => {
    await using served = await serve();
    await installHook(there, "pre-receive", hook);
    const failure = await failureOf(push(served.remote, await commitToPush(there, "2")));
    expect(failure).toMatchObject({ code });
    expect(failure.message).toMatch(/^The remote refuses the push to main: "pre-receive hook declined", ".+"\. [A-Z].+\.$/);
    expect(await there.head()).toBe(first);
  });

  test("neither repeats our credential through us nor sends control characters", async () => {
    await using served = await serve();
    await installHook(there, "pre-receive", `printf 'was ${AUTH.password} \\033[31m red' >&2; exit 1`);
    const { message } = await failureOf(push(served.remote, await commitToPush(there, "2")));
    expect(message).toContain('"was *** [31m red"');
    expect(message).not.toContain(AUTH.password);
  });

  test("a push that is larger than it takes", async () => {
    await using served = await serve({ config: { "receive.maxInputSize": "100" } });
    expect(await failureOf(push(served.remote, await commitToPush(there, "2")))).toMatchObject({ code: "RemoteTooLarge" });
    served.server.fault = ({ path }) => (path.endsWith("/git-receive-pack") ? { kind: "status", status: 413 } : null);
    expect(await failureOf(push(served.remote, await commitToPush(there, "2")))).toMatchObject({ code: "RemoteTooLarge" });
  });

  test("a credential that may only read, or none", async () => {
    await using served = await serve({ config: { "http.receivepack": "false" } });
    const commit = await commitToPush(there, "2");
    expect(await failureOf(push(served.remote, commit))).toMatchObject({
      code: "AccessDenied",
      message: expect.stringContaining("needs write access"),
    });
    await using anonymous = served.remotes.open(served.server.remoteUrl);
    expect(await failureOf(push(anonymous, commit))).toMatchObject({ code: "AuthenticationFailed" });
  });

  test("a credential after a redirect elsewhere: it is not sent there", async () => {
    await using served = await serve();
    await using elsewhere = await serveSource(there, { basicAuth: AUTH });
    served.server.fault = ({ path }) => ({ kind: "redirect", location: `${elsewhere.url}${path}` });
    expect(await failureOf(push(served.remote, await commitToPush(there, "2")))).toMatchObject({ code: "AuthenticationFailed" });
    expect(elsewhere.requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  test("because somebody was faster: the push is one of a branch that moved", async () => {
    await using served = await serve();
    await there.branch("theirs", first);
    const theirs = await there.commit({ a: "theirs" }, { branch: "theirs" });
    await installHook(there, "update", `env -u GIT_QUARANTINE_PATH git update-ref refs/heads/main ${theirs}`);
    expect(await failureOf(push(served.remote, await commitToPush(there, "2")))).toMatchObject({ code: "RemoteMoved" });
    expect(await there.head()).toBe(theirs);
  });
});

describe("a folder of this machine", () => {
  test("takes a push like a server, without running its hooks", async () => {
    await installHook(there, "pre-receive", "exit 1");
    await using remotes = openTestRemotes({ fileRemotes: [there.path], runLocalUploadPack, runLocalReceivePack });
    await using remote = remotes.open(there.url);
    const small = await commitToPush(there, "2");
    await push(remote, small);
    const large = await commitToPush(there, Buffer.alloc(3_000_000, "y"));
    await push(remote, large, small.oid);
    expect(await there.head()).toBe(large.oid);
    expect(await failureOf(push(remote, small, first))).toMatchObject({ code: "RemoteMoved" });
  });

  test("is only read where nobody pushes to folders", async () => {
    await using remotes = openTestRemotes({ fileRemotes: [there.path], runLocalUploadPack });
    await using remote = remotes.open(there.url);
    expect(await failureOf(push(remote, await commitToPush(there, "2")))).toMatchObject({ code: "DirectionUnsupported" });
  });
});
