// Deliveries of webhooks over HTTP: which are believed, which make their sync due, which are refused.
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Provider, SyncSpec } from "../../src/domain/sync-spec.ts";
import type { WebhookSecrets } from "../../src/domain/webhook-secrets.ts";
import { HTTP_LIMITS } from "../../src/http/limits.ts";
import { type HttpServer, type HttpWorld, openHttpWorld } from "../support/http-world.ts";
import { signatureHeaders } from "../support/providers/gitlab/hooks.ts";
import {
  COMMIT,
  fromGitHub,
  fromGitLab,
  fromOldGitLab,
  giveWebhook,
  NO_COMMIT,
  push,
  type Sent,
} from "../support/signed-deliveries.ts";

let http: HttpWorld;
let made = 0;

beforeAll(async () => {
  http = await openHttpWorld({ limits: { ...HTTP_LIMITS, signedBodyMs: 1_000 } });
});
afterAll(() => http[Symbol.asyncDispose]());

type Listening = { readonly id: string; readonly secrets: WebhookSecrets; readonly provider: Provider };

/** A sync of a provider that has run and is not due. */
async function listening(provider: Provider, spec: Partial<SyncSpec> = {}): Promise<Listening> {
  made += 1;
  const { id } = await http.world.declare("https://git.example.com/a/b", { branch: "main", ...spec }, `heard-${made}`);
  await rest(id);
  return { id, provider, secrets: await giveWebhook(http.world.database, id, provider) };
}

const rest = (id: string) => http.world.database.query("UPDATE syncs SET next_run_at = 'infinity' WHERE id = $1", [id]);

async function isDue(id: string): Promise<boolean> {
  const { rows } = await http.world.database.query("SELECT next_run_at <= now() AS due FROM syncs WHERE id = $1", [id]);
  return rows[0]?.due === true;
}

async function deliver(
  { id, provider }: Pick<Listening, "id" | "provider">,
  { headers, body }: Sent,
  server: HttpServer = http,
): Promise<{ readonly status: number; readonly body: unknown }> {
  const url = `${server.url}/v1/sync-webhooks/${provider}/${id}`;
  const response = await fetch(url, { method: "POST", headers, body: new Uint8Array(body) });
  return { status: response.status, body: await response.json() };
}

const ACCEPTED = { status: 202, body: { accepted: true } };
const ignored = (reason: string) => ({ status: 200, body: { ignored: true, reason } });

describe("a push to the branch that a sync follows", () => {
  test.each([
    ["GitHub", "github", fromGitHub],
    ["GitLab with a token", "gitlab", fromOldGitLab],
    ["GitLab with a signature", "gitlab", fromGitLab],
    ["Gitea", "git", (secrets: WebhookSecrets, payload: unknown) => fromGitHub(secrets, payload, { "x-gitea-event": "push" })],
  ] as const)("makes it due when %s says so", async (_name, provider, from) => {
    const sync = await listening(provider);
    expect(await deliver(sync, from(sync.secrets, push()))).toEqual(ACCEPTED);
    expect(await isDue(sync.id)).toBe(true);
  });

  test("makes it due in the form that GitHub sends by default", async () => {
    const sync = await listening("github");
    const body = new URLSearchParams({ payload: JSON.stringify(push()) }).toString();
    const sent = fromGitHub(sync.secrets, body, { "content-type": "application/x-www-form-urlencoded" });
    expect(await deliver(sync, sent)).toEqual(ACCEPTED);
  });

  test("may name any repository: the run asks the one that is declared", async () => {
    const sync = await listening("github");
    const payload = push({ repository: { id: 7, full_name: "somebody/else" } });
    expect(await deliver(sync, fromGitHub(sync.secrets, payload))).toEqual(ACCEPTED);
    expect(await isDue(sync.id)).toBe(true);
  });

  test("follows the remote branch where it has another name", async () => {
    const sync = await listening("github", { remoteBranch: "trunk" });
    expect(await deliver(sync, fromGitHub(sync.secrets, push()))).toEqual(ignored("other_branch"));
    expect(await deliver(sync, fromGitHub(sync.secrets, push({ ref: "refs/heads/trunk" })))).toEqual(ACCEPTED);
  });

  test("may be any branch while it is not known which one the remote's HEAD names", async () => {
    const sync = await listening("github", { branch: null });
    expect(await deliver(sync, fromGitHub(sync.secrets, push({ ref: "refs/heads/any" })))).toEqual(ACCEPTED);
  });

  test("tells workers and is shown to the minute", async () => {
    const sync = await listening("github");
    const told: string[] = [];
    const onMessage = (id: string) => void told.push(id);
    await using _due = await http.world.database.listen("coregit_sync_due", { onMessage, onGap: () => undefined });
    await deliver(sync, fromGitHub(sync.secrets, push()));
    await expect.poll(() => told).toEqual([sync.id]);
    const shown = "SELECT last_delivery_at AS at FROM webhooks WHERE sync_id = $1";
    const { rows: before } = await http.world.database.query(shown, [sync.id]);
    await deliver(sync, fromGitHub(sync.secrets, push()));
    expect((await http.world.database.query(shown, [sync.id])).rows).toEqual(before);
    expect(before[0]?.at).toBeInstanceOf(Date);
    // It was due already.
    expect(told).toEqual([sync.id]);
  });

  test("waits where the remote has asked to wait", async () => {
    const sync = await listening("github");
    await http.world.database.query("UPDATE syncs SET last_error_code = 'RateLimited' WHERE id = $1", [sync.id]);
    expect(await deliver(sync, fromGitHub(sync.secrets, push()))).toEqual(ACCEPTED);
    expect(await isDue(sync.id)).toBe(false);
  });

  test("waits where the remote had nothing new just now", async () => {
    const { database } = http.world;
    const sync = await listening("github");
    await database.query("UPDATE syncs SET quiet_until = now() + interval '1 minute' WHERE id = $1", [sync.id]);
    for (const _ of [1, 2]) expect(await deliver(sync, fromGitHub(sync.secrets, push()))).toEqual(ACCEPTED);
    const { rows } = await database.query("SELECT FROM syncs WHERE id = $1 AND next_run_at = quiet_until", [sync.id]);
    expect(rows).toHaveLength(1);
  });
});

describe("an authentic delivery is ignored", () => {
  let github: Listening;
  let gitlab: Listening;
  beforeEach(async () => {
    github = await listening("github");
    gitlab = await listening("gitlab");
  });

  test.each([
    ["as a ping", "ping", { zen: "x" }, { "x-github-event": "ping" }],
    ["about something else", "other_event", { action: "opened" }, { "x-github-event": "issues" }],
    ["about another branch", "other_branch", push({ ref: "refs/heads/other" }), {}],
    ["about a ref that is no branch", "other_branch", push({ ref: "refs/notes/x" }), {}],
    ["about a tag", "tag", push({ ref: "refs/tags/main" }), {}],
    ["about a branch that was deleted", "deletion", push({ after: NO_COMMIT, deleted: true }), {}],
  ] as const)("of GitHub %s", async (_name, reason, payload, headers) => {
    expect(await deliver(github, fromGitHub(github.secrets, payload, headers))).toEqual(ignored(reason));
    expect(await isDue(github.id)).toBe(false);
  });

  test.each([
    ["about another branch", "other_branch", push({ ref: "refs/heads/other" })],
    ["about a tag", "tag", { object_kind: "tag_push", ref: "refs/tags/v1", after: COMMIT }],
    ["about a branch that was deleted", "deletion", { ref: "refs/heads/main", after: NO_COMMIT, checkout_sha: null }],
    ["about something else", "other_event", { object_kind: "issue" }],
  ] as const)("of GitLab %s", async (_name, reason, payload) => {
    expect(await deliver(gitlab, fromGitLab(gitlab.secrets, payload))).toEqual(ignored(reason));
    expect(await isDue(gitlab.id)).toBe(false);
  });

  test.each([
    ["suspended", "suspended", { suspend: true }],
    ["an export now", "not_automatic", { direction: "export" }],
    ["not automatic any more", "not_automatic", { autoSync: false }],
  ] as const)("when the sync is %s", async (_name, reason, spec) => {
    const sync = await listening("github", spec);
    expect(await deliver(sync, fromGitHub(sync.secrets, push()))).toEqual(ignored(reason));
    expect(await isDue(sync.id)).toBe(false);
  });

  test("when it came before, from whichever replica", async () => {
    await using replica = await http.replica();
    const sent = fromGitHub(github.secrets, push());
    const signed = fromGitLab(gitlab.secrets, push());
    const all = await Promise.all([deliver(github, sent), deliver(github, sent), deliver(github, sent, replica)]);
    expect(all.toSorted((a, b) => b.status - a.status)).toEqual([ACCEPTED, ignored("duplicate"), ignored("duplicate")]);
    expect(await deliver(gitlab, signed)).toEqual(ACCEPTED);
    await rest(github.id);
    await rest(gitlab.id);
    expect(await deliver(github, sent)).toEqual(ignored("duplicate"));
    expect(await deliver(gitlab, signed)).toEqual(ignored("duplicate"));
    expect(await isDue(github.id)).toBe(false);
    expect(await isDue(gitlab.id)).toBe(false);
  });

  test("never for want of an id: then nothing tells it from another one", async () => {
    const { headers, body } = fromOldGitLab(gitlab.secrets, push());
    const { "idempotency-key": _, ...without } = headers;
    expect(await deliver(gitlab, { headers: without, body })).toEqual(ACCEPTED);
    await rest(gitlab.id);
    expect(await deliver(gitlab, { headers: without, body })).toEqual(ACCEPTED);
    expect(await isDue(gitlab.id)).toBe(true);
  });
});

describe("a delivery is refused", () => {
  let sync: Listening;
  let lab: Listening;
  beforeAll(async () => {
    sync = await listening("github");
    lab = await listening("gitlab");
  });

  const refused = async (to: Listening, sent: Sent): Promise<string> => {
    const { status, body } = await deliver(to, sent);
    expect(await isDue(to.id)).toBe(false);
    return `${status} ${(body as { readonly code: string }).code}`;
  };
  const changed = ({ headers, body }: Sent, changes: Readonly<Record<string, string>>): Sent => ({
    body,
    headers: { ...headers, ...changes },
  });
  const without = ({ headers, body }: Sent, ...names: readonly string[]): Sent => ({
    body,
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name))),
  });

  test("without a signature, with one of another form, of another secret, of other bytes", async () => {
    const good = fromGitHub(sync.secrets, push());
    const other = fromGitHub(lab.secrets, push());
    const cut = good.headers["x-hub-signature-256"]?.slice(0, -2) ?? "";
    const sha1 = { "x-hub-signature": `sha1=${"a".repeat(40)}` };
    for (const sent of [
      without(good, "x-hub-signature-256"),
      changed(without(good, "x-hub-signature-256"), sha1),
      changed(good, { "x-hub-signature-256": cut }),
      changed(good, { "x-hub-signature-256": "sha256=" }),
      other,
      { headers: good.headers, body: Buffer.from(` ${good.body.toString()}`) },
    ]) {
      expect(await refused(sync, sent)).toBe("401 UNAUTHORIZED");
    }
  });

  test("of GitLab without a token, with another, and with a wrong signature beside the right token", async () => {
    const good = fromGitLab(lab.secrets, push());
    for (const sent of [
      without(fromOldGitLab(lab.secrets, push()), "x-gitlab-token"),
      changed(fromOldGitLab(lab.secrets, push()), { "x-gitlab-token": `${lab.secrets.token}x` }),
      changed(fromOldGitLab(lab.secrets, push()), { "x-gitlab-token": lab.secrets.token.slice(1) }),
      changed(good, { "webhook-signature": "v1,AAAA" }),
      changed(good, { "webhook-signature": "" }),
      changed(good, { "webhook-signature": `v1a,${Buffer.alloc(32).toString("base64")}` }),
      changed(good, { "webhook-id": "another" }),
      without(good, "webhook-timestamp"),
      { headers: good.headers, body: Buffer.concat([good.body, Buffer.from(" ")]) },
    ]) {
      expect(await refused(lab, sent)).toBe("401 UNAUTHORIZED");
    }
  });

  test("when its signed time is more than five minutes away, either way", async () => {
    expect(await refused(lab, fromGitLab(lab.secrets, push(), 302_000))).toBe("401 UNAUTHORIZED");
    expect(await refused(lab, fromGitLab(lab.secrets, push(), -302_000))).toBe("401 UNAUTHORIZED");
    const late = await listening("gitlab");
    expect(await deliver(late, fromGitLab(late.secrets, push(), 290_000))).toEqual(ACCEPTED);
  });

  test("unless one of several signatures is right, as while a key is replaced", async () => {
    const turning = await listening("gitlab");
    const { headers, body } = fromGitLab(turning.secrets, push());
    const key = headers["idempotency-key"] ?? "";
    const old = signatureHeaders(lab.secrets.signingToken, { key, body, seconds: Number(headers["webhook-timestamp"]) });
    const both = `${old["webhook-signature"]} ${headers["webhook-signature"]}`;
    expect(await deliver(turning, { body, headers: { ...headers, "webhook-signature": both } })).toEqual(ACCEPTED);
  });

  test("for a sync that is not there, of another provider, or that never had a webhook", async () => {
    const sent = fromGitHub(sync.secrets, push());
    expect((await deliver({ id: "sync_none", provider: "github" }, sent)).status).toBe(404);
    expect((await deliver({ ...sync, provider: "git" }, sent)).status).toBe(404);
    expect((await deliver({ ...sync, provider: "bitbucket" as Provider }, sent)).status).toBe(404);
    const { id } = await http.world.declare("https://git.example.com/a/b", {}, "unheard");
    expect((await deliver({ id, provider: "git" }, sent)).status).toBe(401);
  });

  test("for an id that no database could hold, at no cost for what comes at the same time", async () => {
    const heard = await listening("github");
    const strange = { id: "%00", provider: "github" } as const;
    const rounds = Array.from({ length: 20 }, () => [strange, heard]).flat();
    const answers = await Promise.all(rounds.map((one) => deliver(one, fromGitHub(heard.secrets, push()))));
    expect(answers.map(({ status }) => status)).toEqual(rounds.map((one) => (one === heard ? 202 : 400)));
    expect(await isDue(heard.id)).toBe(true);
  });

  test.each([
    ["that is no JSON", "no json"],
    ["that is cut off", JSON.stringify(push()).slice(0, -5)],
    ["that is no object", "[1]"],
    ["that is null", "null"],
    ["whose ref is no text", JSON.stringify(push({ ref: 7 }))],
    ["whose commit is missing", JSON.stringify({ ref: "refs/heads/main" })],
    ["that is empty", ""],
    ["that is nested deeply", "[".repeat(200_000)],
  ])("with a signed payload %s", async (_name, body) => {
    expect(await refused(sync, fromGitHub(sync.secrets, body))).toBe("400 INVALID_REQUEST");
  });

  test("when it is compressed, or of a type that nobody sends", async () => {
    const { headers } = fromGitHub(sync.secrets, push());
    const bomb = gzipSync(Buffer.alloc(24 * 1024 * 1024));
    expect(await refused(sync, { headers: { ...headers, "content-encoding": "gzip" }, body: bomb })).toBe("400 INVALID_REQUEST");
    const text = changed(fromGitHub(sync.secrets, push()), { "content-type": "text/plain" });
    expect(await refused(sync, text)).toBe("415 INVALID_REQUEST");
  });

  test("when it is larger than 25 MB, and taken when it is not", async () => {
    const large = await listening("github");
    const filled = (bytes: number) => {
      const frame = JSON.stringify(push({ filler: "" }));
      return frame.replace('"filler":""', `"filler":"${"x".repeat(bytes - frame.length)}"`);
    };
    const limit = 25 * 1024 * 1024;
    expect(await deliver(large, fromGitHub(large.secrets, filled(limit)))).toEqual(ACCEPTED);
    expect((await deliver(large, fromGitHub(large.secrets, filled(limit + 1)))).status).toBe(413);
  });

  test("when its size is not announced and turns out too large", async () => {
    const { headers } = fromGitHub(sync.secrets, push());
    async function* endless() {
      for (;;) yield Buffer.alloc(1024 * 1024);
    }
    const url = `${http.url}/v1/sync-webhooks/github/${sync.id}`;
    const init = { method: "POST", headers, body: ReadableStream.from(endless()), duplex: "half" as const };
    const answered = await fetch(url, init).then(
      ({ status }) => status,
      () => "cut off",
    );
    expect([413, "cut off"]).toContain(answered);
    expect(await isDue(sync.id)).toBe(false);
  });

  test("when its body does not come to an end", async () => {
    const { headers } = fromGitHub(sync.secrets, push());
    const stalled = new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from("{")) });
    const url = `${http.url}/v1/sync-webhooks/github/${sync.id}`;
    await expect(fetch(url, { method: "POST", headers, body: stalled, duplex: "half" as const })).rejects.toThrow();
    expect(await isDue(sync.id)).toBe(false);
  });
});
