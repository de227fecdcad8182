// How politely and how exactly providers are asked: one budget for each credential, at doubles that count what they are asked.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { AppCredential } from "../../src/domain/credential.ts";
import type { CoregitError } from "../../src/domain/errors.ts";
import { type OpenedRemotes, openRemotes } from "../../src/remotes/open-remotes.ts";
import type { RemoteTarget } from "../../src/remotes/remote.ts";
import { ManualTime } from "../support/manual-time.ts";
import { createGate } from "../support/providers/faults.ts";
import { type GitHubDouble, startGitHub } from "../support/providers/github/start.ts";
import { type GitLabDouble, startGitLab } from "../support/providers/gitlab/start.ts";
import { silentLogger } from "../support/silent-logger.ts";
import { until } from "../support/until.ts";

const clock = new ManualTime();
clock.advance(Date.UTC(2026, 0, 1) - clock.now());
let github: GitHubDouble;
let gitlab: GitLabDouble;
let remotes: OpenedRemotes;
/** How far our clock is behind the providers'. */
let behindMs = 0;

/** A person of each test's own, whose limits are nobody else's. */
let person = "";
let tests = 0;

beforeAll(async () => {
  github = await startGitHub({ clock });
  gitlab = await startGitLab({ clock });
});
afterAll(async () => {
  await github[Symbol.asyncDispose]();
  await gitlab[Symbol.asyncDispose]();
});
beforeEach(() => {
  behindMs = 0;
  tests += 1;
  person = `person-${tests}`;
  github.clear();
  gitlab.clear();
  remotes = openRemotes({
    allowedHosts: ["127.0.0.0/8"],
    fileRemotes: [],
    runLocalUploadPack: null,
    userAgent: "coregit/test",
    clock: { now: () => clock.now() - behindMs, monotonic: () => clock.monotonic() },
    random: () => 1,
    wait: async (ms) => clock.advance(ms),
    logger: silentLogger,
  });
});
afterEach(async () => {
  await remotes[Symbol.asyncDispose]();
  github.faults.clear();
});

const signal = () => AbortSignal.timeout(20_000);

async function failureOf(promise: Promise<unknown>): Promise<CoregitError> {
  return await promise.then(
    () => Promise.reject(new Error("It did not fail.")),
    (error: CoregitError) => error,
  );
}

type Target = RemoteTarget & { readonly credential: { readonly kind: "token"; readonly token: string } };

async function gitHubTarget(user = person): Promise<Target> {
  await github.addRepository(`${user}/site`, { isPrivate: true, files: { "a.txt": "one\n" } });
  const credential = { kind: "token", token: github.addToken({ user }) } as const;
  return { provider: "github", baseUrl: github.url, remote: `${user}/site`, credential, caPem: null };
}

async function readHead(target: RemoteTarget) {
  await using remote = remotes.open(target);
  return await remote.readHead("main", signal());
}

async function fetchHead(target: RemoteTarget, isWhole: boolean): Promise<void> {
  await using remote = remotes.open(target);
  const { oid } = await remote.readHead("main", signal());
  if (oid === null) throw new Error("There is no head.");
  for await (const _chunk of remote.fetchPack({ oid, have: null }, signal())) if (!isWhole) return;
}

async function lookUp(target: RemoteTarget) {
  await using remote = remotes.open(target);
  return (await remote.lookup?.here(signal())) ?? null;
}

describe("a budget", () => {
  test("sends nothing before Retry-After, by whichever worker and to whichever interface, and goes on after it", async () => {
    const target = await gitHubTarget();
    github.throttle(target.credential.token, { kind: "secondary", retryAfterSeconds: 90 });
    const untilMs = clock.now() + 90_000;
    expect(await failureOf(lookUp(target))).toMatchObject({ code: "RateLimited", retryAtMs: untilMs });
    github.clear();
    const others = [lookUp(target), readHead(target), remotes.inspectCredential(target, signal())];
    for (const other of others) expect(await failureOf(other)).toMatchObject({ code: "RateLimited", retryAtMs: untilMs });
    expect(github.requests).toEqual([]);
    clock.advance(90_000);
    expect((await lookUp(target))?.path).toBe(`${person}/site`);
  });

  test("of another credential is another one", async () => {
    const limited = await gitHubTarget();
    github.throttle(limited.credential.token, { kind: "secondary" });
    await failureOf(lookUp(limited));
    expect((await lookUp(await gitHubTarget("hubot")))?.path).toBe("hubot/site");
  });

  test("that is used up is known before the provider has to refuse; git goes on", async () => {
    const target = await gitHubTarget();
    github.limits.coreHourly = 2;
    await lookUp(target);
    await lookUp(target);
    github.clear();
    expect((await failureOf(lookUp(target))).code).toBe("RateLimited");
    expect(github.requests).toEqual([]);
    expect((await readHead(target)).branch).toBe("main");
    github.limits.coreHourly = 5_000;
    clock.advance(3_600_000);
    expect((await lookUp(target))?.path).toBe(`${person}/site`);
  });

  test("heeds what git's own answers say", async () => {
    const project = await gitlab.addProject(`${person}/site`, { files: { "a.txt": "one\n" } });
    const credential = { kind: "token", token: gitlab.addToken({ user: person }) } as const;
    const target = { provider: "gitlab", baseUrl: gitlab.url, remote: project.fullPath, credential, caPem: null } as const;
    gitlab.faults.order(/info\/refs/, { kind: "answer", status: 429, body: "Retry later\n", headers: { "retry-after": "60" } });
    expect((await failureOf(readHead(target))).code).toBe("RateLimited");
    gitlab.clear();
    expect((await failureOf(readHead(target))).code).toBe("RateLimited");
    expect((await failureOf(lookUp(target))).code).toBe("RateLimited");
    expect(gitlab.requests).toEqual([]);
    clock.advance(60_000);
    expect((await readHead(target)).branch).toBe("main");
  });

  test("has room for twenty requests at once", async () => {
    const target = await gitHubTarget();
    const gate = createGate();
    github.faults.order(/api\/v3\/repos/, { kind: "before", run: gate.run }, 50);
    const all = Array.from({ length: 50 }, () => lookUp(target));
    await until("twenty are under way", async () => github.requests.length === 20);
    gate.open();
    expect((await Promise.all(all)).every((found) => found?.path === `${person}/site`)).toBe(true);
    expect(github.highWater).toBe(20);
  });

  test("gets the place of a fetch back, be it read to its end or given up", async () => {
    const target = await gitHubTarget();
    for (let count = 0; count < 21; count += 1) await fetchHead(target, count % 2 === 0);
    expect((await lookUp(target))?.path).toBe(`${person}/site`);
  });
});

describe("a request", () => {
  test("that reads is repeated after a broken connection and a bad gateway, slower each time", async () => {
    const target = await gitHubTarget();
    github.faults.order(/api\/v3\/repos/, { kind: "reset" });
    github.faults.order(/api\/v3\/repos/, { kind: "answer", status: 502, body: "<html>" });
    const startedMs = clock.now();
    expect((await lookUp(target))?.path).toBe(`${person}/site`);
    expect(clock.now() - startedMs).toBe(300 + 1200);
  });

  test("that writes is sent once, whatever became of its answer", async () => {
    const app = newApp();
    github.faults.order(/access_tokens/, { kind: "loseAnswer" });
    expect((await failureOf(signIn(app))).code).toBe("RemoteUnreachable");
    expect(minted()).toBe(1);
  });

  test("is followed within its origin, and not to another one", async () => {
    const target = await gitHubTarget();
    const repository = github.world.findRepository(`${person}/site`);
    if (repository === null) throw new Error("There is no repository.");
    github.moveRepository(repository, `${person}/renamed`);
    expect(await lookUp(target)).toEqual({ id: String(repository.id), path: `${person}/renamed` });
    for (const location of [
      "http://127.0.0.1:1/repositories/1",
      `${gitlab.url}/repositories/1`,
      "file:///etc/passwd",
      "http://a b",
    ]) {
      github.faults.order(/api\/v3\/repos/, { kind: "answer", status: 301, headers: { location: encodeURI(location) } });
      expect((await failureOf(lookUp(target))).code).toBe("RedirectRefused");
    }
    expect(gitlab.requests).toEqual([]);
  });

  test("that is redirected in a circle is given up", async () => {
    const target = await gitHubTarget();
    github.clear();
    github.faults.order(
      /api\/v3\/repos/,
      { kind: "answer", status: 301, headers: { location: `${github.url}/api/v3/repos/${person}/site` } },
      10,
    );
    expect((await failureOf(lookUp(target))).code).toBe("RedirectRefused");
    expect(github.requests).toHaveLength(4);
    github.faults.clear();
  });
});

function newApp(): AppCredential {
  const made = github.addApp({ permissions: { contents: "write", metadata: "read" }, slug: `app-of-${person}` });
  const { id } = github.installApp(made, person);
  return { kind: "app", appId: String(made.id), installationId: String(id), privateKey: made.privateKeyPem };
}

const signIn = (credential: AppCredential) =>
  remotes.signIn({ provider: "github", baseUrl: github.url, remote: `${person}/site`, credential, caPem: null }, signal());
const minted = () => github.requests.filter(({ route }) => route?.includes("access_tokens")).length;

describe("a GitHub App's token", () => {
  beforeEach(async () => {
    await github.addRepository(`${person}/site`, { isPrivate: true, files: { "a.txt": "one\n" } });
  });

  async function signedIn() {
    const target = await signIn(newApp());
    if (target.credential?.kind !== "token") throw new Error("There is no token.");
    return { target, token: target.credential.token };
  }

  test.each([
    ["git", readHead],
    ["the API", lookUp],
  ] as const)("that ended between two calls is forgotten and minted anew once, for %s", async (_, ask) => {
    const { target, token } = await signedIn();
    clock.advance(60_000);
    github.revokeToken(token);
    expect(await ask(target)).not.toBeNull();
    expect(minted()).toBe(2);
    expect(await ask(target)).not.toBeNull();
    expect(minted()).toBe(2);
  });

  test("is minted anew once for all who meet its end at the same time", async () => {
    const { target, token } = await signedIn();
    clock.advance(60_000);
    github.revokeToken(token);
    await Promise.all([readHead(target), lookUp(target), readHead(target), lookUp(target)]);
    expect(minted()).toBe(2);
  });

  test("that has not come round yet at GitHub is tried again after a moment", async () => {
    const { target } = await signedIn();
    github.faults.order(/info\/refs/, { kind: "answer", status: 401 });
    expect((await readHead(target)).branch).toBe("main");
    expect(minted()).toBe(1);
  });

  test("that is refused for good is not asked for without end", async () => {
    const { target } = await signedIn();
    clock.advance(60_000);
    github.faults.order(/info\/refs/, { kind: "answer", status: 401 }, 10);
    expect((await failureOf(readHead(target))).code).toBe("AuthenticationFailed");
    expect(minted()).toBe(2);
    github.faults.clear();
  });

  test("pays from one budget with the App and with the tokens before and after it", async () => {
    const app = newApp();
    const target = await signIn(app);
    if (target.credential?.kind !== "token") throw new Error("There is no token.");
    github.throttle(target.credential.token, { kind: "secondary", retryAfterSeconds: 4_000 });
    await failureOf(lookUp(target));
    // The token is too old to be given out again, and another may not be asked for yet.
    clock.advance(3_300_000);
    github.clear();
    expect((await failureOf(signIn(app))).code).toBe("RateLimited");
    expect(github.requests).toEqual([]);
  });

  test.each([-20, 20])("is had although our clock is %i minutes off", async (minutes) => {
    behindMs = minutes * 60_000;
    const { target } = await signedIn();
    expect((await readHead(target)).branch).toBe("main");
    expect(minted()).toBe(2);
  });
});
