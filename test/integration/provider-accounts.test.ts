// Who a credential is, asked of doubles of GitHub and GitLab through the production remotes.
import { generateKeyPairSync } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AppCredential, Credential } from "../../src/domain/credential.ts";
import type { CoregitError } from "../../src/domain/errors.ts";
import type { Provider } from "../../src/domain/sync-spec.ts";
import { openRemotes, type RemotesOptions } from "../../src/remotes/open-remotes.ts";
import { ManualTime } from "../support/manual-time.ts";
import { type GitHubDouble, startGitHub } from "../support/providers/github/start.ts";
import { type GitLabDouble, startGitLab } from "../support/providers/gitlab/start.ts";
import { silentLogger } from "../support/silent-logger.ts";

const START_MS = Date.UTC(2026, 0, 1);
const clock = new ManualTime();
clock.advance(START_MS - clock.now());
let github: GitHubDouble;
let gitlab: GitLabDouble;
beforeAll(async () => {
  github = await startGitHub({ clock });
  gitlab = await startGitLab({ clock });
});
afterAll(async () => {
  await github[Symbol.asyncDispose]();
  await gitlab[Symbol.asyncDispose]();
});

function open(options: Partial<RemotesOptions> = {}) {
  return openRemotes({
    allowedHosts: ["127.0.0.0/8"],
    fileRemotes: [],
    runLocalUploadPack: null,
    userAgent: "coregit/test",
    clock,
    logger: silentLogger,
    ...options,
  });
}

const tokenOf = (token: string): Credential => ({ kind: "token", token });
const signal = () => AbortSignal.timeout(20_000);

async function inspect(
  provider: Provider,
  baseUrl: string | null,
  credential: Credential | null,
  options?: Partial<RemotesOptions>,
) {
  await using remotes = open(options);
  return await remotes.inspectCredential({ provider, baseUrl, credential, caPem: null }, signal());
}

async function failureOf(promise: Promise<unknown>): Promise<CoregitError> {
  return await promise.then(
    () => Promise.reject(new Error("It did not fail.")),
    (error: CoregitError) => error,
  );
}

describe("GitHub", () => {
  test.each(["", "/", "/api/v3"])("a classic token tells its user, scopes and end (base URL with %j)", async (path) => {
    const expiresAtMs = START_MS + 30 * 86_400_000;
    const token = github.addToken({ user: "octocat", scopes: ["repo", "workflow"], expiresAtMs });
    expect(await inspect("github", `${github.url}${path}`, tokenOf(token))).toEqual({
      externalUsername: "octocat",
      scopes: ["repo", "workflow"],
      expiresAt: "2026-01-31T00:00:00.000Z",
    });
  });

  test("a classic token without a scope has none, a fine-grained one does not tell", async () => {
    const classic = github.addToken({ user: "octocat", scopes: [] });
    expect(await inspect("github", github.url, tokenOf(classic))).toMatchObject({ scopes: [], expiresAt: null });
    const fine = github.addToken({ user: "octocat", kind: "fine-grained", permissions: { contents: "read" } });
    expect(await inspect("github", github.url, tokenOf(fine))).toMatchObject({ externalUsername: "octocat", scopes: null });
  });

  test("a token given as a password is one", async () => {
    const password = github.addToken({ user: "octocat" });
    const account = await inspect("github", github.url, { kind: "basic", username: "any", password });
    expect(account.externalUsername).toBe("octocat");
  });

  test("an unknown or revoked token is refused by name of the host, without the token", async () => {
    const token = github.addToken({ user: "octocat" });
    github.revokeToken(token);
    for (const bad of [token, "ghp_none"]) {
      const error = await failureOf(inspect("github", github.url, tokenOf(bad)));
      expect(error.code).toBe("AuthenticationFailed");
      expect(error.message).toContain(new URL(github.url).host);
      expect(JSON.stringify([error.message, error.stack, String(error.cause)])).not.toContain(bad);
    }
  });
});

function newApp(): { app: AppCredential; slug: string } {
  const made = github.addApp({ permissions: { contents: "write", repository_hooks: "write" }, slug: "coregit-test" });
  const installation = github.installApp(made, "acme");
  return {
    app: { kind: "app", appId: String(made.id), installationId: String(installation.id), privateKey: made.privateKeyPem },
    slug: made.slug,
  };
}

describe("a GitHub App", () => {
  test("is its bot, with its permissions", async () => {
    const { app } = newApp();
    expect(await inspect("github", github.url, app)).toEqual({
      externalUsername: "coregit-test[bot]",
      scopes: ["contents:write", "repository_hooks:write"],
      expiresAt: null,
    });
  });

  test("gets one token for all who ask at once, remembers it, and another before it ends", async () => {
    const { app } = newApp();
    await using remotes = open();
    const minted = () => github.requests.filter(({ route }) => route?.includes("access_tokens")).length;
    const before = minted();
    const signIn = () =>
      remotes.signIn({ provider: "github", baseUrl: github.url, remote: "acme/x", credential: app, caPem: null }, signal());
    const [one, two] = await Promise.all([signIn(), signIn()]);
    expect(one.credential).toEqual(two.credential);
    expect(one.credential?.kind).toBe("token");
    clock.advance(49 * 60_000);
    expect((await signIn()).credential).toEqual(one.credential);
    expect(minted() - before).toBe(1);
    clock.advance(2 * 60_000);
    expect((await signIn()).credential).not.toEqual(one.credential);
    expect(minted() - before).toBe(2);
  });

  test("its token as it stands is its bot too", async () => {
    const { app, slug } = newApp();
    await using remotes = open();
    const { credential } = await remotes.signIn(
      { provider: "github", baseUrl: github.url, remote: "acme/x", credential: app, caPem: null },
      signal(),
    );
    expect(await inspect("github", github.url, credential)).toEqual({
      externalUsername: `${slug}[bot]`,
      scopes: null,
      expiresAt: null,
    });
  });

  test("with a foreign key, a missing or a suspended installation is refused, each in its own way", async () => {
    const { app } = newApp();
    const foreign = generateKeyPairSync("rsa", { modulusLength: 2048 })
      .privateKey.export({ type: "pkcs1", format: "pem" })
      .toString();
    expect((await failureOf(inspect("github", github.url, { ...app, privateKey: foreign }))).code).toBe("AuthenticationFailed");
    expect((await failureOf(inspect("github", github.url, { ...app, installationId: "1" }))).code).toBe("RemoteNotFound");
    const installation = github.world.apps.get(Number(app.appId))?.installations.get(Number(app.installationId));
    if (installation !== undefined) installation.isSuspended = true;
    expect((await failureOf(inspect("github", github.url, app))).code).toBe("AccessDenied");
  });
});

describe("GitLab", () => {
  test.each(["personal", "project", "group"] as const)("a %s token tells its user, scopes and end", async (kind) => {
    const token = gitlab.addToken({ user: `dev-${kind}`, kind, scopes: ["api"], expiresAtMs: START_MS + 30 * 86_400_000 });
    expect(await inspect("gitlab", gitlab.url, tokenOf(token))).toEqual({
      externalUsername: `dev-${kind}`,
      scopes: ["api"],
      expiresAt: "2026-01-31T00:00:00.000Z",
    });
  });

  test("a token for git alone is good, whoever it is", async () => {
    const token = gitlab.addToken({ user: "dev", scopes: ["read_repository"] });
    expect(await inspect("gitlab", gitlab.url, tokenOf(token))).toEqual({
      externalUsername: null,
      scopes: ["read_repository"],
      expiresAt: null,
    });
  });

  test("an OAuth token tells its user, scopes and end", async () => {
    const token = gitlab.addToken({ user: "dev", kind: "oauth", scopes: ["api"], expiresAtMs: clock.now() + 7_200_000 });
    expect(await inspect("gitlab", gitlab.url, tokenOf(token))).toEqual({
      externalUsername: "dev",
      scopes: ["api"],
      expiresAt: new Date(clock.now() + 7_200_000).toISOString(),
    });
  });

  test("an OAuth token for git alone is good, and one that has ended is not", async () => {
    const git = gitlab.addToken({ user: "dev", kind: "oauth", scopes: ["write_repository"] });
    expect(await inspect("gitlab", gitlab.url, tokenOf(git))).toEqual({
      externalUsername: null,
      scopes: ["write_repository"],
      expiresAt: null,
    });
    const ended = gitlab.addToken({ user: "dev", kind: "oauth", expiresAtMs: clock.now() });
    expect((await failureOf(inspect("gitlab", gitlab.url, tokenOf(ended)))).code).toBe("AuthenticationFailed");
  });

  test.each(["personal", "project", "group"] as const)("a %s token that was revoked is refused", async (kind) => {
    const token = gitlab.addToken({ user: `gone-${kind}`, kind });
    gitlab.revokeToken(token);
    expect((await failureOf(inspect("gitlab", gitlab.url, tokenOf(token)))).code).toBe("AuthenticationFailed");
  });

  test("an unknown token is refused", async () => {
    expect((await failureOf(inspect("gitlab", gitlab.url, tokenOf("glpat-none")))).code).toBe("AuthenticationFailed");
  });
});

describe("bad days", () => {
  test("limits are waited for as the provider says", async () => {
    const token = github.addToken({ user: "limited" });
    github.throttle(token, { kind: "secondary", retryAfterSeconds: 77 });
    expect(await failureOf(inspect("github", github.url, tokenOf(token)))).toMatchObject({
      code: "RateLimited",
      retryAtMs: clock.now() + 77_000,
    });
    const silent = github.addToken({ user: "silently-limited" });
    github.throttle(silent, { kind: "secondary", retryAfterSeconds: null });
    expect(await failureOf(inspect("github", github.url, tokenOf(silent)))).toMatchObject({
      code: "RateLimited",
      retryAtMs: clock.now() + 60_000,
    });
    const spent = github.addToken({ user: "spent" });
    github.throttle(spent, { kind: "primary" });
    const error = await failureOf(inspect("github", github.url, tokenOf(spent)));
    expect(error.code).toBe("RateLimited");
    expect(error.retryAtMs).toBeGreaterThan(clock.now());
    const late = gitlab.addToken({ user: "late" });
    gitlab.faults.order(/GET/, { kind: "answer", status: 429, body: "Retry later\n", headers: { "retry-after": "5" } });
    expect(await failureOf(inspect("gitlab", gitlab.url, tokenOf(late)))).toMatchObject({
      code: "RateLimited",
      retryAtMs: clock.now() + 5_000,
    });
  });

  test.each([
    ["a broken connection", { kind: "reset" }, "RemoteUnreachable", 3],
    ["a bad gateway in HTML", { kind: "answer", status: 502, body: "<html>" }, "RemoteUnreachable", 3],
    ["a page instead of JSON", { kind: "answer", status: 200, body: "<html>" }, "RemoteProtocol", 1],
    ["half an answer", { kind: "halfAnswer", end: "complete" }, "RemoteProtocol", 1],
    ["silence", { kind: "stall" }, "RemoteTooSlow", 1],
    ["a redirect", { kind: "answer", status: 302, headers: { location: "http://127.0.0.1:1/" } }, "RedirectRefused", 1],
  ] as const)("%s is reported as what it is, and asked again only where that may help", async (_, fault, code, times) => {
    for (const [provider, double] of [
      ["github", github],
      ["gitlab", gitlab],
    ] as const) {
      const token = double.addToken({ user: "octocat" });
      double.faults.order(/GET/, fault, times);
      double.clear();
      const limits = { apiAttemptMs: fault.kind === "stall" ? 300 : 20_000 };
      const error = await failureOf(inspect(provider, double.url, tokenOf(token), { limits }));
      expect([provider, error.code, double.requests.length]).toEqual([provider, code, times]);
      expect(double.faults.pending).toBe(0);
    }
  });

  test("an answer that does not end is cut off", async () => {
    const token = tokenOf(github.addToken({ user: "octocat" }));
    const error = await failureOf(inspect("github", github.url, token, { limits: { apiAnswerBytes: 100 } }));
    expect([error.code, error.message]).toEqual(["RemoteProtocol", expect.stringContaining("more than 100 bytes")]);
  });

  test("an address that is not allowed is not connected to, and no credential goes out in clear text", async () => {
    const token = tokenOf(github.addToken({ user: "octocat" }));
    github.clear();
    const clear = await failureOf(inspect("github", github.url, token, { allowedHosts: [] }));
    expect(clear.code).toBe("InvalidSpec");
    const guarded = await failureOf(inspect("github", github.url.replace("http:", "https:"), token, { allowedHosts: [] }));
    expect(guarded.code).toBe("AddressRefused");
    expect(github.requests).toEqual([]);
  });
});

describe("other git servers", () => {
  test("have no accounts; their base URL has to answer", async () => {
    const unknown = { externalUsername: null, scopes: null, expiresAt: null };
    expect(await inspect("git", null, tokenOf("any"))).toEqual(unknown);
    expect(await inspect("git", `${gitlab.url}/none`, tokenOf("any"))).toEqual(unknown);
    expect((await failureOf(inspect("git", "http://127.0.0.1:1", tokenOf("any")))).code).toBe("RemoteUnreachable");
  });
});
