// The GitLab double's webhooks: plain tokens and signatures, events that are never sent, and receivers that fail too often.
import { createHmac } from "node:crypto";
import { Gitlab } from "@gitbeaker/rest";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ManualTime } from "../../support/manual-time.ts";
import { signatureHeaders } from "../../support/providers/gitlab/hooks.ts";
import type { GitLabProject } from "../../support/providers/gitlab/project.ts";
import { type GitLabDouble, startGitLab } from "../../support/providers/gitlab/start.ts";
import { type PlainClient, plainClient } from "../../support/providers/plain-client.ts";
import { type ReceivedDelivery, startWebhookReceiver, type WebhookReceiver } from "../../support/providers/webhook-receiver.ts";

const ZERO = "0".repeat(40);
const SIGNING_TOKEN = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;

let clock: ManualTime;
let gitlab: GitLabDouble;
let project: GitLabProject;
let receiver: WebhookReceiver;
let call: PlainClient;
let hooks: string;

async function start(version?: string): Promise<void> {
  gitlab = await startGitLab({ clock, ...(version === undefined ? {} : { version }) });
  project = await gitlab.addProject("group/hello", { files: { a: "1" } });
  call = plainClient(`${gitlab.url}/api/v4`, gitlab.addToken({ user: "group" }));
  hooks = `/projects/${project.id}/hooks`;
}

beforeEach(async () => {
  clock = new ManualTime();
  receiver = await startWebhookReceiver();
  await start();
});
afterEach(async () => {
  await gitlab[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

const addHook = async (more: object = {}): Promise<number> => {
  const { json } = await call("POST", hooks, { url: `${receiver.url}/hook`, token: "plain", push_events: true, ...more });
  return (json as { id: number }).id;
};
const push = async (content: string): Promise<string> => {
  const oid = await project.commit({ a: content });
  await gitlab.hooksSettled();
  return oid;
};
const delivery = (index: number): ReceivedDelivery => {
  const found = receiver.deliveries.at(index);
  if (found === undefined) throw new Error(`There was no delivery ${index}.`);
  return found;
};
const payload = (index: number) => JSON.parse(delivery(index).body.toString()) as Record<string, unknown>;

describe("a hook", () => {
  test("says which secrets it has and never what they are, through gitbeaker too", async () => {
    const api = new Gitlab({ host: gitlab.url, oauthToken: gitlab.addToken({ user: "group" }) });
    const options = { token: "plain", pushEvents: true, signingToken: SIGNING_TOKEN };
    const made = await api.ProjectHooks.add(project.id, `${receiver.url}/hook`, options as { token: string });
    expect(made).toMatchObject({ token_present: true, signing_token_present: true, alert_status: "executable" });
    expect(JSON.stringify(await api.ProjectHooks.all(project.id))).not.toMatch(/plain|whsec/);
  });

  test("has no signature on a server before 19.0, which does not look at the signing token", async () => {
    await gitlab[Symbol.asyncDispose]();
    await start("18.11.0");
    const made = await call("POST", hooks, { url: `${receiver.url}/hook`, token: "plain", signing_token: SIGNING_TOKEN });
    expect(made.json).not.toHaveProperty("signing_token_present");
    await push("2");
    expect(delivery(0).headers).toMatchObject({ "x-gitlab-token": "plain" });
    expect(delivery(0).headers).not.toHaveProperty("webhook-signature");
  });

  test("may have the same address as another", async () => {
    await addHook();
    await addHook();
    expect((await call("GET", hooks)).json).toHaveLength(2);
  });

  test("loses its secrets with its address", async () => {
    const id = await addHook({ signing_token: SIGNING_TOKEN });
    expect((await call("PUT", `${hooks}/${id}`, { url: `${receiver.url}/hook`, push_events: true })).json).toMatchObject({
      token_present: true,
    });
    const moved = await call("PUT", `${hooks}/${id}`, { url: `${receiver.url}/other` });
    expect(moved.json).toMatchObject({ token_present: false, signing_token_present: false });
  });

  test("is refused for bad addresses and signing tokens, and above a number; it goes once", async () => {
    const post = (body: object) => call("POST", hooks, body);
    expect((await post({})).status).toBe(400);
    expect((await post({ url: "ftp://x" })).status).toBe(422);
    expect((await post({ url: receiver.url, signing_token: "short" })).status).toBe(422);
    const id = await addHook();
    gitlab.limits.hooks = 1;
    expect((await post({ url: receiver.url })).status).toBe(422);
    expect((await call("DELETE", `${hooks}/${id}`)).status).toBe(204);
    expect((await call("DELETE", `${hooks}/${id}`)).status).toBe(404);
    gitlab.world.allowsLocalHooks = false;
    expect((await post({ url: receiver.url })).status).toBe(422);
  });
});

describe("a push event", () => {
  test("has GitLab's headers, the plain token and a signature over id, time and raw body", async () => {
    await addHook({ signing_token: SIGNING_TOKEN });
    const before = await project.head();
    const after = await push("2");
    const { headers, body } = delivery(0);
    const id = String(headers["webhook-id"]);
    const signature = createHmac("sha256", Buffer.alloc(32, 7))
      .update(`${id}.${clock.now() / 1000}.`)
      .update(body)
      .digest("base64");
    expect(headers).toMatchObject({
      "x-gitlab-event": "Push Hook",
      "x-gitlab-token": "plain",
      "x-gitlab-instance": gitlab.url,
      "idempotency-key": id,
      "webhook-timestamp": String(clock.now() / 1000),
      "webhook-signature": `v1,${signature}`,
      "user-agent": "GitLab/19.1.0-ee",
    });
    expect(payload(0)).toMatchObject({
      object_kind: "push",
      ref: "refs/heads/main",
      before,
      after,
      checkout_sha: after,
      project_id: project.id,
      project: { path_with_namespace: "group/hello", default_branch: "main" },
      total_commits_count: 1,
    });
    expect(payload(0)).not.toHaveProperty("deleted");
  });

  test("signs as Standard Webhooks does", () => {
    const signed = signatureHeaders("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", {
      key: "msg_p5jXN8AQM9LWM0D4loKWxJek",
      body: Buffer.from('{"test": 2432232314}'),
      seconds: 1614265330,
    });
    expect(signed["webhook-signature"]).toBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  });

  test("tells creation and deletion by zeros alone, and lists twenty commits", async () => {
    await addHook();
    const head = (await project.head()) ?? "";
    await project.setRef("refs/heads/new", head);
    await project.setRef("refs/heads/new", ZERO);
    await gitlab.hooksSettled();
    expect(payload(0)).toMatchObject({ before: ZERO, after: head });
    expect(payload(1)).toMatchObject({ before: head, after: ZERO, checkout_sha: null });
    const before = head;
    for (let count = 0; count < 22; count += 1) await project.git.source.commit({ a: `${count}x` });
    const after = (await project.head()) ?? "";
    project.announce([{ ref: "refs/heads/main", before, after }], project.creator);
    await gitlab.hooksSettled();
    expect(payload(2)).toMatchObject({ total_commits_count: 22 });
    expect(payload(2).commits).toHaveLength(20);
  });

  test("is not sent for more than three branches, for tags unless asked, or past the branch filter", async () => {
    await addHook({ push_events_branch_filter: "ma*" });
    const head = (await project.head()) ?? "";
    const movement = (ref: string) => ({ ref, before: ZERO, after: head });
    project.announce(
      ["a", "b", "c", "d"].map((name) => movement(`refs/heads/ma${name}`)),
      project.creator,
    );
    project.announce([movement("refs/tags/v1")], project.creator);
    project.announce([movement("refs/heads/other")], project.creator);
    project.announce([movement("refs/heads/main")], project.creator);
    await gitlab.hooksSettled();
    expect(receiver.deliveries.map((_one, index) => payload(index).ref)).toEqual(["refs/heads/main"]);
  });

  test("follows a commit by the API", async () => {
    await addHook();
    const body = { branch: "main", commit_message: "x", actions: [{ action: "create", file_path: "b", content: "" }] };
    const { json } = await call("POST", `/projects/${project.id}/repository/commits`, body);
    await gitlab.hooksSettled();
    expect(payload(0)).toMatchObject({ after: (json as { id: string }).id, commits: [{ added: ["b"] }] });
  });
});

describe("a receiver that fails", () => {
  test("loses its hook after four failures, for a minute and then for longer", async () => {
    const id = await addHook();
    const status = async () => ((await call("GET", `${hooks}/${id}`)).json as { alert_status: string }).alert_status;
    receiver.status = 500;
    for (let count = 0; count < 3; count += 1) await push(`${count}x`);
    expect(await status()).toBe("executable");
    await push("fourth");
    expect(await status()).toBe("temporarily_disabled");
    await push("unseen");
    expect(receiver.deliveries).toHaveLength(4);
    clock.advance(60_000);
    await push("fifth");
    clock.advance(60_000);
    expect([await status(), receiver.deliveries.length]).toEqual(["temporarily_disabled", 5]);
    clock.advance(60_000);
    receiver.status = 302;
    await push("a redirect is a success");
    expect(await status()).toBe("executable");
  });

  test("loses it for good after forty, until a test succeeds", async () => {
    const id = await addHook();
    const hook = gitlab.world.hooks.all.get(id);
    if (hook === undefined) throw new Error("There is no hook.");
    hook.failures = 39;
    receiver.status = 500;
    await push("2");
    clock.advance(48 * 3_600_000);
    expect((await call("GET", `${hooks}/${id}`)).json).toMatchObject({ alert_status: "disabled" });
    expect((await call("POST", `${hooks}/${id}/test/push_events`)).status).toBe(422);
    receiver.status = 200;
    expect(await call("POST", `${hooks}/${id}/test/push_events`)).toMatchObject({
      status: 201,
      json: { message: "201 Created" },
    });
    expect((await call("GET", `${hooks}/${id}`)).json).toMatchObject({ alert_status: "executable" });
  });

  test("gets an event again under the same key and a new event id, five times a minute at most", async () => {
    const id = await addHook();
    await push("2");
    const [event] = (await call("GET", `${hooks}/${id}/events`)).json as [{ id: number; response_status: string }];
    expect(event.response_status).toBe("202");
    for (let count = 0; count < 5; count += 1) {
      expect((await call("POST", `${hooks}/${id}/events/${event.id}/resend`)).json).toEqual({ response_status: 202 });
    }
    expect((await call("POST", `${hooks}/${id}/events/${event.id}/resend`)).status).toBe(429);
    const [first, again] = [delivery(0).headers, delivery(1).headers];
    expect(again["idempotency-key"]).toBe(first["idempotency-key"]);
    expect(again["x-gitlab-event-uuid"]).not.toBe(first["x-gitlab-event-uuid"]);
  });
});
