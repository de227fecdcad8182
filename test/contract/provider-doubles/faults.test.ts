// What both doubles share: recordings that tests count on, and faults at the edges of a request.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createGate } from "../../support/providers/faults.ts";
import type { GitHubRepository } from "../../support/providers/github/repository.ts";
import { type GitHubDouble, startGitHub } from "../../support/providers/github/start.ts";
import { fingerprint } from "../../support/providers/identifiers.ts";
import { type PlainClient, plainClient } from "../../support/providers/plain-client.ts";

const PATH = "/repos/octocat/hello";

let github: GitHubDouble;
let repository: GitHubRepository;
let token: string;
let call: PlainClient;
let next: string;

beforeEach(async () => {
  github = await startGitHub();
  repository = await github.addRepository("octocat/hello", { files: { a: "1" } });
  const head = await repository.head();
  next = await repository.git.source.git("commit-tree", "-p", head ?? "", "-m", "x", "main^{tree}");
  token = github.addToken({ user: "octocat" });
  call = plainClient(github.url, token);
});
afterEach(() => github[Symbol.asyncDispose]());

const move = () => call("PATCH", `${PATH}/git/refs/heads/main`, { sha: next });

describe("recordings", () => {
  test("have the route, the status and a fingerprint of the credential, and not the credential", async () => {
    await call("POST", `${PATH}/git/blobs`, { content: "x" });
    expect(github.requests).toMatchObject([
      {
        method: "POST",
        path: `${PATH}/git/blobs`,
        route: "POST /repos/{owner}/{repo}/git/blobs",
        status: 201,
        json: { content: "x" },
        credential: { scheme: "bearer", fingerprint: fingerprint(token) },
        concurrent: 1,
        fault: null,
      },
    ]);
    expect(JSON.stringify(github.requests)).not.toContain(token);
    github.clear();
    expect(github.requests).toEqual([]);
  });

  test("know the most requests at once", async () => {
    const gate = createGate();
    github.faults.order(/GET/, { kind: "before", run: gate.run });
    const waiting = call("GET", PATH);
    await gate.reached;
    await call("GET", PATH);
    gate.open();
    await waiting;
    expect(github.highWater).toBe(2);
    github.clear();
    await call("GET", PATH);
    expect(github.highWater).toBe(1);
  });

  test("have the same ids in every run", async () => {
    await using other = await startGitHub();
    const again = await other.addRepository("octocat/hello", { files: { a: "1" } });
    expect([again.id, await again.head(), other.addToken({ user: "octocat" })]).toEqual([
      repository.id,
      await repository.head(),
      token,
    ]);
  });
});

describe("a fault", () => {
  test("is met by as many requests as ordered", async () => {
    github.faults.order(/GET \/repos/, { kind: "answer", status: 503, body: "<html>", headers: { "retry-after": "3" } }, 2);
    const answers = [await call("GET", PATH), await call("GET", PATH), await call("GET", PATH)];
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 200]);
    expect(github.faults.pending).toBe(0);
  });

  test("can say 502 after the work was done", async () => {
    github.faults.order(/PATCH/, { kind: "answerAfter" });
    const answer = await move();
    expect([answer.status, answer.json, await repository.head()]).toEqual([502, undefined, next]);
  });

  test("can lose the answer after the work, or break before it", async () => {
    github.faults.order(/PATCH/, { kind: "reset" });
    await expect(move()).rejects.toThrow();
    expect(await repository.head()).not.toBe(next);
    github.faults.order(/PATCH/, { kind: "loseAnswer" });
    await expect(move()).rejects.toThrow();
    expect(await repository.head()).toBe(next);
  });

  test("can cut an answer in half, whole or broken", async () => {
    github.faults.order(/GET/, { kind: "halfAnswer", end: "complete" });
    expect((await call("GET", PATH)).json).toBeUndefined();
    github.faults.order(/GET/, { kind: "halfAnswer", end: "broken" });
    await expect(call("GET", PATH)).rejects.toThrow();
    github.faults.order(/GET/, { kind: "halfAnswer", end: "silent" });
    const silent = await fetch(`${github.url}${PATH}`, { signal: AbortSignal.timeout(500) });
    await expect(silent.text()).rejects.toThrow();
  });

  test("can never answer", async () => {
    github.faults.order(/GET/, { kind: "stall" });
    await expect(fetch(`${github.url}${PATH}`, { signal: AbortSignal.timeout(200) })).rejects.toThrow();
    expect(github.requests[0]).toMatchObject({ status: null, fault: "stall" });
  });

  test("can let somebody else in between", async () => {
    github.faults.order(/PATCH/, { kind: "before", run: () => repository.commit({ side: "1" }) });
    expect(await move()).toMatchObject({ status: 422, json: { message: "Update is not a fast forward" } });
  });
});
