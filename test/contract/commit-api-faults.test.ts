// Bad days of a provider's API for commits: whatever happens at whichever request, the commit is there once or not at all, and the next
// try makes it one.
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { objectId } from "../../src/domain/object-codec.ts";
import { type CommitHost, type Files, failureOf, isOurs, planCommit, startCommitHost, treeOf } from "../support/commit-hosts.ts";
import type { Fault } from "../support/providers/faults.ts";

const signal = () => AbortSignal.timeout(25_000);
/** Requests to the API, and not those of git. */
const ANY = /\/(?:repos|projects|graphql)/;
const NOTHING: Fault = { kind: "before", run: () => Promise.resolve() };
const CHANGE = { a: "2", b: Buffer.from([0xff, 0x00]) };

describe.each(["github", "gitlab"] as const)("commits by the API of %s", (provider) => {
  let host: CommitHost;
  let calls = 0;
  beforeAll(async () => {
    host = await startCommitHost(provider);
    calls = await countCalls(CHANGE);
  });
  afterAll(() => host[Symbol.asyncDispose]());

  const FAULTS: readonly [what: string, fault: Fault][] = [
    ["a broken connection", { kind: "reset" }],
    ["a bad gateway before anything is done", { kind: "answer", status: 502, body: "<html>" }],
    ["a bad gateway after all is done", { kind: "answerAfter" }],
    ["an internal error after all is done", { kind: "answerAfter", status: 500 }],
    ["an answer that is lost", { kind: "loseAnswer" }],
    ["half an answer", { kind: "halfAnswer", end: "complete" }],
    ["an answer that breaks off", { kind: "halfAnswer", end: "broken" }],
    ["an answer that stops", { kind: "halfAnswer", end: "silent" }],
    ["a page instead of JSON", { kind: "answer", status: 200, body: "<html>" }],
    ["silence", { kind: "stall" }],
  ];

  test.each(FAULTS)("%s at any request leaves one commit or none, and the next try makes it one", async (_, fault) => {
    for (let nth = 0; nth < calls; nth += 1) await expectOneCommit(nth, fault);
  });

  async function expectOneCommit(nth: number, fault: Fault): Promise<void> {
    const here = await host.add({ a: "1" });
    // Waited for to its end is only what has none.
    const isEndless = fault.kind === "stall" || (fault.kind === "halfAnswer" && fault.end === "silent");
    await using opened = here.open(isEndless ? { limits: { apiAttemptMs: 400 } } : {});
    await using later = here.open();
    if (nth > 0) host.faults.order(ANY, NOTHING, nth);
    host.faults.order(ANY, fault);
    const plan = await planCommit(here, CHANGE);
    const failure = await failureOf(opened.api.commit(plan, signal()));
    host.faults.clear();
    expect([nth, failure?.code ?? "done"]).toEqual([
      nth,
      expect.stringMatching(/^(?:done|Remote(?:Unreachable|TooSlow|Protocol|TreeDiffers))$/),
    ]);
    const isDone = await isOurs(here);
    expect(isDone || failure !== null).toBe(true);
    if (!isDone) await later.api.commit(await planCommit(here, CHANGE), signal());
    expect([nth, await here.git.source.git("rev-list", "--count", "main"), await treeOf(here)]).toEqual([nth, "2", plan.tree]);
  }

  async function countCalls(change: Files): Promise<number> {
    const here = await host.add({ a: "1" });
    await using opened = here.open();
    await opened.api.commit(await planCommit(here, change), signal());
    return opened.api.calls;
  }

  /** The last request of a commit is the one that moves the branch. */
  function orderAtTheMove(count: number, fault: Fault): void {
    if (count > 1) host.faults.order(ANY, NOTHING, count - 1);
    host.faults.order(ANY, fault);
  }

  test("a commit whose answer is lost is found by reading the head", async () => {
    const here = await host.add({ a: "1" });
    await using opened = here.open();
    orderAtTheMove(await countCalls({ a: "2" }), { kind: "loseAnswer" });
    const made = await opened.api.commit(await planCommit(here, { a: "2" }), signal());
    expect(made.oid).toBe(await here.head());
    expect(made.content === null ? null : objectId("commit", made.content)).toBe(made.oid);
    expect(await here.git.source.git("rev-list", "--count", "main")).toBe("2");
  });

  test("somebody else's commit is not taken for one whose answer was lost", async () => {
    const here = await host.add({ a: "1" });
    await using opened = here.open();
    orderAtTheMove(await countCalls({ a: "2" }), { kind: "reset" });
    host.faults.order(ANY, { kind: "before", run: () => here.commitThere({ theirs: "1" }) });
    const failure = await failureOf(opened.api.commit(await planCommit(here, { a: "2" }), signal()));
    expect(failure?.code).toBe("RemoteMoved");
    expect(await isOurs(here)).toBe(false);
  });
});

test("GitHub is sent no more files after the first that it refuses, but for those on their way", async () => {
  await using host = await startCommitHost("github");
  const here = await host.add({ a: "1" });
  await using opened = here.open();
  const refused: Fault = { kind: "answer", status: 403, body: "{}", headers: { "content-type": "application/json" } };
  host.faults.order(/git\/blobs/, refused, Number.POSITIVE_INFINITY);
  // Four of 4 MiB are as much as is on its way at once.
  const files = Array.from({ length: 6 }, (_, index) => [`image-${index}`, Buffer.alloc(4 * 1024 * 1024, index)]);
  const plan = await planCommit(here, Object.fromEntries(files));
  host.clear();
  expect((await failureOf(opened.api.commit(plan, signal())))?.code).toBe("AccessDenied");
  expect(host.requests.filter(({ path }) => path.endsWith("/git/blobs"))).toHaveLength(4);
});

test.each(["RATE_LIMIT", "RATE_LIMITED"])("GitHub's limit of GraphQL, which it calls %s, is waited for", async (type) => {
  await using host = await startCommitHost("github");
  const here = await host.add({ a: "1" });
  await using opened = here.open();
  const body = JSON.stringify({ errors: [{ type, message: "API rate limit already exceeded for user ID 1." }] });
  host.faults.order(/graphql/, { kind: "answer", status: 200, body, headers: { "content-type": "application/json" } });
  const plan = await planCommit(here, { a: "2" });
  const before = Date.now();
  const failure = await failureOf(opened.api.commit(plan, signal()));
  expect(failure?.code).toBe("RateLimited");
  expect(failure?.retryAtMs).toBeGreaterThanOrEqual(before + 60_000);
  expect(opened.api.calls).toBe(1);
});

describe("GitLab, which takes its time over a commit,", () => {
  const limits = { apiAttemptMs: 300, apiUploadBytesPerSecond: 250_000 };

  test.each<[what: string, files: Files, code: string | null]>([
    ["is not waited for beyond the limit of any request", { a: "2" }, "RemoteTooSlow"],
    ["is waited for longer over many files", Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`f${n}`, "1"])), null],
    ["is waited for longer over much content", { a: "x".repeat(750_000) }, null],
  ])("%s", async (_what, files, code) => {
    await using host = await startCommitHost("gitlab");
    const here = await host.add({ a: "1" });
    await using opened = here.open({ limits });
    const slowly = { kind: "before", run: () => delay(1_500) } as const;
    host.faults.order(/POST .*\/repository\/commits/, slowly);
    const failure = await failureOf(opened.api.commit(await planCommit(here, files), signal()));
    expect(failure?.code ?? null).toBe(code);
  });
});
