// Webhooks that somebody sets up by hand at a git server without an API for them: what they are set up with, and who learns it.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../src/domain/clock.ts";
import type { SyncStatus } from "../../src/domain/declaration.ts";
import type { Provider, SyncSpec } from "../../src/domain/sync-spec.ts";
import { openWebhookRegistrar } from "../../src/sync/webhook-registrar.ts";
import { declareSync } from "../support/declare-sync.ts";
import { type HttpAnswer, type HttpWorld, openHttpWorld } from "../support/http-world.ts";
import { QUIET_SPEC, TEST_KEYS } from "../support/quiet-spec.ts";
import { fromGitHub, push } from "../support/signed-deliveries.ts";
import { silentLogger } from "../support/silent-logger.ts";

const within = { timeout: 10_000, interval: 20 };
const owned = new AsyncDisposableStack();
let http: HttpWorld;

beforeAll(async () => {
  http = owned.use(await openHttpWorld());
  owned.use(await startRegistrar(http, http.url));
});
afterAll(() => owned.disposeAsync());

function startRegistrar({ world }: HttpWorld, publicUrl: string | null): Promise<AsyncDisposable> {
  const { database, remotes: webhooks } = world;
  const shared = { database, keys: TEST_KEYS, clock: systemClock, random: Math.random, logger: silentLogger };
  return openWebhookRegistrar({ ...shared, webhooks, publicUrl });
}

/** An import of a resource, from a server that nobody ever asks. */
async function declare(name: string, spec: Partial<SyncSpec> = {}, provider: Provider = "git"): Promise<SyncStatus> {
  const own = { owner: { kind: "resource", ref: `uid-${name}` }, namespace: "default", name } as const;
  const { declarations } = http.world;
  const connection = { label: "", provider, baseUrl: null, caPem: null, credential: null, error: null };
  await declarations.declareConnection({ ...own, ...connection });
  const remote = provider === "git" ? "https://git.example.com/a/b" : "a/b";
  const whole = { ...QUIET_SPEC, remote, branch: "main", ...spec };
  return declareSync(declarations, { ...own, repository: name, connection: name, spec: whole });
}

const ask = (path: string, method = "GET") => http.ask(`/v1/repos/${path}`, { method });
const refusalOf = ({ status, body }: HttpAnswer) => [status, body.code];

/** Once the sync's webhook has been looked at. */
async function webhookOf(name: string): Promise<{ readonly url: string; readonly secret: string }> {
  await expect.poll(async () => (await ask(`${name}/sync/webhook`)).status, within).toBe(200);
  const { body } = await ask(`${name}/sync/webhook`);
  return { url: String(body.url), secret: String(body.secret) };
}

/** As Gitea sends it. */
async function deliver({ url, secret }: { readonly url: string; readonly secret: string }): Promise<number> {
  const { headers, body } = fromGitHub({ signingSecret: secret, token: "", signingToken: "" }, push(), {
    "x-gitea-event": "push",
  });
  return (await fetch(url, { method: "POST", headers, body: new Uint8Array(body) })).status;
}

const stateOf = async ({ id }: Pick<SyncStatus, "id">) => (await http.world.declarations.readSync(id))?.webhook;

describe("a webhook that is set up by hand", () => {
  test("brings deliveries, and says before how it is set up", async () => {
    const sync = await declare("forge");
    const webhook = await webhookOf("forge");
    expect(webhook.url).toBe(`${http.url}/v1/sync-webhooks/git/${sync.id}`);
    await expect
      .poll(() => stateOf(sync), within)
      .toMatchObject({
        state: "Unavailable",
        message: expect.stringContaining("/sync/webhook"),
      });
    expect(await deliver(webhook)).toBe(202);
    await expect.poll(() => stateOf(sync), within).toMatchObject({ state: "Active", message: null });
  });

  test("is given another secret, and what the one before signs is refused", async () => {
    const sync = await declare("rotated");
    const before = await webhookOf("rotated");
    expect(await deliver(before)).toBe(202);
    await expect.poll(() => stateOf(sync), within).toMatchObject({ state: "Active" });
    const { status, headers, body } = await ask("rotated/sync/webhook", "POST");
    expect([status, headers.get("cache-control")]).toEqual([200, "no-store"]);
    const after = { url: String(body.url), secret: String(body.secret) };
    expect(after.secret).not.toBe(before.secret);
    expect(await webhookOf("rotated")).toEqual(after);
    expect(await deliver(before)).toBe(401);
    await expect.poll(() => stateOf(sync), within).toMatchObject({ state: "Unavailable" });
    expect(await deliver(after)).toBe(202);
    await expect.poll(() => stateOf(sync), within).toMatchObject({ state: "Active" });
  });

  test("is shown to the master key alone, and kept by no cache", async () => {
    await declare("secret");
    await webhookOf("secret");
    expect((await ask("secret/sync/webhook")).headers.get("cache-control")).toBe("no-store");
    const scopes = { "repos:secret": ["read", "write"], "repos:*": ["read", "write"] };
    const { body } = await http.ask("/v1/tokens", { method: "POST", body: { name: "ci", scopes } });
    for (const method of ["GET", "POST"]) {
      const headers = { "x-api-key": String(body.token) };
      expect(refusalOf(await http.ask("/v1/repos/secret/sync/webhook", { method, headers }))).toEqual([403, "FORBIDDEN"]);
      expect((await http.ask("/v1/repos/secret/sync/webhook", { method, headers: {} })).status).toBe(401);
    }
  });

  test("is that of the sync that is asked for, of the repository's", async () => {
    const sync = await declare("several");
    await webhookOf("several");
    const named = await ask(`default/several/sync/webhook?sync_id=${sync.id}`);
    expect(named.body.url).toBe(`${http.url}/v1/sync-webhooks/git/${sync.id}`);
    await declare("other");
    expect(refusalOf(await ask(`other/sync/webhook?sync_id=${sync.id}`))).toEqual([404, "SYNC_NOT_FOUND"]);
  });
});

describe("there is none", () => {
  test.each(["github", "gitlab"] as const)("at %s, where it is made by itself", async (provider) => {
    const sync = await declare(`at-${provider}`, {}, provider);
    await expect.poll(() => stateOf(sync), within).toMatchObject({ state: "Unavailable" });
    const answer = await ask(`at-${provider}/sync/webhook`);
    expect(refusalOf(answer)).toEqual([409, "NO_MANUAL_WEBHOOK"]);
    expect(answer.body.error).toContain("made and looked after by Coregit itself");
    expect(refusalOf(await ask(`at-${provider}/sync/webhook`, "POST"))).toEqual([409, "NO_MANUAL_WEBHOOK"]);
  });

  test("for an export, and for an import that is not automatic", async () => {
    await declare("out", { direction: "export" });
    await declare("polled", { autoSync: false });
    for (const name of ["out", "polled"]) {
      const answer = await ask(`${name}/sync/webhook`);
      expect(refusalOf(answer)).toEqual([409, "NO_MANUAL_WEBHOOK"]);
      expect(answer.body.error).toContain("import with `auto_sync`");
    }
  });

  test("in a repository without a sync", async () => {
    await http.ask("/v1/repos", { method: "POST", body: { slug: "alone" } });
    expect(refusalOf(await ask("alone/sync/webhook"))).toEqual([404, "SYNC_NOT_FOUND"]);
  });

  test("without an address that git servers reach", async () => {
    await using world = await openHttpWorld();
    await using _registrar = await startRegistrar(world, null);
    const { id } = await world.world.declare("https://git.example.com/a/b", { branch: "main" }, "nowhere");
    await expect.poll(async () => (await world.world.declarations.readSync(id))?.webhook?.state, within).toBe("Unavailable");
    const answer = await world.ask("/v1/repos/nowhere/sync/webhook");
    expect(refusalOf(answer)).toEqual([409, "NO_MANUAL_WEBHOOK"]);
    expect(answer.body.error).toContain("COREGIT_PUBLIC_URL");
  });
});
