// The GitHub double's webhooks: really sent, signed over the raw bytes, with GitHub's rules for hooks and their redelivery.
import { createHmac } from "node:crypto";
import { Octokit } from "octokit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { git } from "../../support/git.ts";
import { ManualTime } from "../../support/manual-time.ts";
import type { GitHubRepository } from "../../support/providers/github/repository.ts";
import { type GitHubDouble, startGitHub } from "../../support/providers/github/start.ts";
import { type PlainClient, plainClient } from "../../support/providers/plain-client.ts";
import { type ReceivedDelivery, startWebhookReceiver, type WebhookReceiver } from "../../support/providers/webhook-receiver.ts";

const ZERO = "0".repeat(40);
const HOOKS = "/repos/octocat/hello/hooks";

let clock: ManualTime;
let github: GitHubDouble;
let repository: GitHubRepository;
let receiver: WebhookReceiver;
let call: PlainClient;
let first: string;

beforeEach(async () => {
  clock = new ManualTime();
  github = await startGitHub({ clock });
  receiver = await startWebhookReceiver();
  repository = await github.addRepository("octocat/hello", { files: { a: "1" } });
  first = (await repository.head()) ?? "";
  call = plainClient(github.url, github.addToken({ user: "octocat" }));
});
afterEach(async () => {
  await github[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

const config = (more: object = {}) => ({ url: `${receiver.url}/hook`, content_type: "json", secret: "a secret", ...more });
const addHook = async (more: object = {}): Promise<number> => {
  const made = await call("POST", HOOKS, { name: "web", events: ["push"], config: config(), ...more });
  await github.hooksSettled();
  return (made.json as { id: number }).id;
};
const delivery = (index: number): ReceivedDelivery => {
  const found = receiver.deliveries[index];
  if (found === undefined) throw new Error(`There was no delivery ${index}.`);
  return found;
};
const events = () => receiver.deliveries.map(({ headers }) => headers["x-github-event"]);
const pushes = () =>
  receiver.deliveries
    .filter(({ headers }) => headers["x-github-event"] === "push")
    .map(({ body }) => JSON.parse(body.toString()) as Record<string, unknown>);

describe("a hook", () => {
  test("is pinged when it is made, through octokit as well", async () => {
    const octokit = new Octokit({
      auth: github.addToken({ user: "octocat" }),
      baseUrl: github.url,
      throttle: { enabled: false },
    });
    const { data } = await octokit.rest.repos.createWebhook({ owner: "octocat", repo: "hello", config: config() });
    await github.hooksSettled();
    expect(Number.isInteger(data.id)).toBe(true);
    expect(data.config).toEqual({ url: `${receiver.url}/hook`, content_type: "json", insecure_ssl: "0", secret: "********" });
    expect(events()).toEqual(["ping"]);
    expect(JSON.parse(receiver.deliveries[0]?.body.toString() ?? "")).toMatchObject({
      zen: expect.any(String),
      hook_id: data.id,
    });
    expect((await call("GET", `${HOOKS}/${data.id}`)).json).toMatchObject({ last_response: { code: 202, status: "active" } });
  });

  test("is not made twice for the same address and event, nor more than twenty times", async () => {
    await addHook();
    expect(await call("POST", HOOKS, { config: config() })).toMatchObject({
      status: 422,
      json: {
        message: "Validation Failed",
        errors: [{ resource: "Hook", code: "custom", message: "Hook already exists on this repository" }],
      },
    });
    github.world.sizes.hooks = 1;
    expect((await call("POST", HOOKS, { config: config({ url: `${receiver.url}/other` }) })).status).toBe(422);
  });

  test("takes no unknown fields, no missing address and, where so set, no local one", async () => {
    expect((await call("POST", HOOKS, { config: config(), extra: 1 })).status).toBe(422);
    expect((await call("POST", HOOKS, { config: {} })).status).toBe(422);
    github.world.allowsLocalHooks = false;
    expect((await call("POST", HOOKS, { config: config() })).status).toBe(422);
  });

  test("loses its secret when its configuration is replaced without one, and keeps it when only a part is", async () => {
    const id = await addHook();
    expect((await call("PATCH", `${HOOKS}/${id}/config`, { insecure_ssl: "1" })).json).toMatchObject({
      secret: "********",
      insecure_ssl: "1",
    });
    const { json } = await call("PATCH", `${HOOKS}/${id}`, { config: { url: `${receiver.url}/hook`, content_type: "json" } });
    expect((json as { config: object }).config).not.toHaveProperty("secret");
    await repository.commit({ a: "2" });
    await github.hooksSettled();
    expect(receiver.deliveries.at(-1)?.headers).not.toHaveProperty("x-hub-signature-256");
  });

  test("is listed in pages and goes once", async () => {
    for (const name of ["a", "b", "c"]) await addHook({ config: config({ url: `${receiver.url}/${name}` }) });
    const page = await call("GET", `${HOOKS}?per_page=2`);
    expect(page.json).toHaveLength(2);
    expect(page.headers.get("link")).toContain('rel="next"');
    const [{ id }] = page.json as [{ id: number }];
    expect((await call("DELETE", `${HOOKS}/${id}`)).status).toBe(204);
    expect((await call("DELETE", `${HOOKS}/${id}`)).status).toBe(404);
  });

  test("needs the right for hooks", async () => {
    const weak = plainClient(
      github.url,
      github.addToken({ user: "octocat", kind: "fine-grained", permissions: { contents: "write" } }),
    );
    const refused = await weak("POST", HOOKS, { config: config() });
    expect([refused.status, refused.headers.get("x-accepted-github-permissions")]).toEqual([403, "repository_hooks=write"]);
  });
});

describe("a push event", () => {
  test("has GitHub's headers, and its signature is over the raw body", async () => {
    const id = await addHook();
    const after = await repository.commit({ [Buffer.from("ä.txt").toString("latin1")]: "2" }, { message: "Grüße" });
    await github.hooksSettled();
    const { headers, body } = delivery(1);
    expect(headers).toMatchObject({
      "content-type": "application/json",
      "x-github-event": "push",
      "x-github-delivery": expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      "x-github-hook-id": String(id),
      "x-github-hook-installation-target-id": String(repository.id),
      "x-hub-signature-256": `sha256=${createHmac("sha256", "a secret").update(body).digest("hex")}`,
      "user-agent": expect.stringMatching(/^GitHub-Hookshot\//),
    });
    expect(JSON.parse(body.toString())).toMatchObject({
      ref: "refs/heads/main",
      before: first,
      after,
      created: false,
      deleted: false,
      forced: false,
      base_ref: null,
      compare: expect.any(String),
      commits: [{ id: after, message: "Grüße", added: ["ä.txt"], removed: [], modified: [] }],
      head_commit: { id: after },
      repository: { id: repository.id, full_name: "octocat/hello" },
      pusher: { name: "octocat" },
    });
  });

  test("is a form unless JSON was asked for", async () => {
    await addHook({ config: config({ content_type: undefined }) });
    const { headers, body } = delivery(0);
    expect(headers["content-type"]).toBe("application/x-www-form-urlencoded");
    expect(JSON.parse(new URLSearchParams(body.toString()).get("payload") ?? "")).toHaveProperty("zen");
    expect(headers["x-hub-signature-256"]).toBe(`sha256=${createHmac("sha256", "a secret").update(body).digest("hex")}`);
  });

  test("follows the API, a push, a force-push and a deletion alike", async () => {
    await addHook();
    await call("POST", "/repos/octocat/hello/git/refs", { ref: "refs/heads/made", sha: first });
    const second = await repository.git.source.git("commit-tree", "-p", first, "-m", "x", `${first}^{tree}`);
    const url = github.gitUrl(repository).replace("://", `://x:${github.addToken({ user: "octocat" })}@`);
    await git(["-C", repository.git.path, "push", "--quiet", url, `${second}:refs/heads/main`]);
    await call("PATCH", "/repos/octocat/hello/git/refs/heads/main", { sha: first, force: true });
    await call("DELETE", "/repos/octocat/hello/git/refs/heads/made");
    await github.hooksSettled();
    expect(
      pushes().map(({ ref, before, after, created, deleted, forced }) => ({ ref, before, after, created, deleted, forced })),
    ).toEqual([
      { ref: "refs/heads/made", before: ZERO, after: first, created: true, deleted: false, forced: false },
      { ref: "refs/heads/main", before: first, after: second, created: false, deleted: false, forced: false },
      { ref: "refs/heads/main", before: second, after: first, created: false, deleted: false, forced: true },
      { ref: "refs/heads/made", before: first, after: ZERO, created: false, deleted: true, forced: false },
    ]);
    expect(pushes()[3]).toMatchObject({ head_commit: null, commits: [] });
  });

  test("is not sent for more than three tags at once, nor to an inactive hook", async () => {
    const id = await addHook();
    const tag = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ ref: `refs/tags/t${index}`, before: ZERO, after: first, isForced: false }));
    repository.announce(tag(4), repository.owner);
    repository.announce(tag(3), repository.owner);
    await call("PATCH", `${HOOKS}/${id}`, { active: false });
    await repository.commit({ a: "2" });
    await github.hooksSettled();
    expect(pushes().map(({ ref }) => ref)).toEqual(["refs/tags/t0", "refs/tags/t1", "refs/tags/t2"]);
  });

  test("is lost, doubled, held and let go in reverse on order", async () => {
    await addHook();
    const fates = ["lose", "twice", "hold", "hold"] as const;
    let next = 0;
    github.sender.fate = () => fates[next++] ?? "send";
    for (let index = 0; index < 4; index += 1) await repository.commit({ a: `${index}x` }, { message: `${index}` });
    await github.hooksSettled();
    const seen = () => pushes().map(({ head_commit }) => (head_commit as { message: string }).message);
    expect([seen(), github.sender.held]).toEqual([["1", "1"], 2]);
    await github.sender.release("reversed");
    expect(seen()).toEqual(["1", "1", "3", "2"]);
  });
});

describe("deliveries", () => {
  test("can be asked for: a ping, or the newest push once more", async () => {
    const id = await addHook();
    expect((await call("POST", `${HOOKS}/${id}/pings`)).status).toBe(204);
    expect((await call("POST", `${HOOKS}/${id}/tests`)).status).toBe(204);
    await github.hooksSettled();
    expect(events()).toEqual(["ping", "ping", "push"]);
    expect(pushes()).toMatchObject([{ after: first, before: ZERO }]);
  });

  test("are listed, and sent again under the same id, for three days", async () => {
    const id = await addHook();
    receiver.status = 500;
    await repository.commit({ a: "2" });
    await github.hooksSettled();
    const list = (await call("GET", `${HOOKS}/${id}/deliveries`)).json as {
      id: number;
      guid: string;
      status_code: number;
      event: string;
    }[];
    expect(list.map(({ event, status_code }) => `${event} ${status_code}`)).toEqual(["push 500", "ping 202"]);
    const [failed] = list;
    expect((await call("GET", `${HOOKS}/${id}/deliveries/${failed?.id}`)).json).toMatchObject({
      request: { payload: { ref: "refs/heads/main" } },
    });
    expect((await call("POST", `${HOOKS}/${id}/deliveries/${failed?.id}/attempts`)).status).toBe(202);
    await github.hooksSettled();
    const guids = receiver.deliveries.map(({ headers }) => headers["x-github-delivery"]);
    expect(guids.slice(1)).toEqual([failed?.guid, failed?.guid]);
    clock.advance(73 * 3_600_000);
    expect((await call("POST", `${HOOKS}/${id}/deliveries/${failed?.id}/attempts`)).status).toBe(400);
  });
});
