// Webhooks of the repositories and every delivery that was made, kept as GitHub shows them. Payloads are built in the order in
// which refs moved; sending them is the sender's.
import { createHmac } from "node:crypto";
import type { Clock } from "../../../../src/domain/clock.ts";
import type { Identifiers } from "../identifiers.ts";
import { type DeliveryResult, PAYLOAD_LIMIT_BYTES, type WebhookSender } from "../webhook-sender.ts";
import type { GitHubUser } from "./credentials.ts";
import type { Json, Links } from "./models.ts";
import { pushPayload } from "./push-payload.ts";
import type { GitHubRepository, RefMovement } from "./repository.ts";

export type HookConfig = {
  readonly url: string;
  readonly content_type: "json" | "form";
  readonly insecure_ssl: string;
  readonly secret?: string;
};

export type HookDelivery = {
  readonly id: number;
  /** The same for a redelivery. */
  readonly guid: string;
  readonly event: string;
  readonly isRedelivery: boolean;
  readonly deliveredAtMs: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: Json;
  /** Null while nobody has answered. */
  result: DeliveryResult | null;
};

export type GitHubHook = {
  readonly id: number;
  readonly repositoryId: number;
  readonly createdAtMs: number;
  updatedAtMs: number;
  active: boolean;
  events: readonly string[];
  config: HookConfig;
  readonly deliveries: HookDelivery[];
};

export type GitHubHooksParts = {
  readonly clock: Clock;
  readonly identifiers: Identifiers;
  readonly sender: WebhookSender;
  readonly links: () => Links;
  /** Version of an Enterprise server, which its deliveries name; null: GitHub.com. */
  readonly enterpriseVersion: string | null;
};

/** More refs of a kind in one push than this, and no event is sent. */
const MAX_BRANCHES = 5_000;
const MAX_TAGS = 3;

export class GitHubHooks {
  readonly all = new Map<number, GitHubHook>();
  readonly #parts: GitHubHooksParts;
  #building: Promise<void> = Promise.resolve();

  constructor(parts: GitHubHooksParts) {
    this.#parts = parts;
  }

  of(repository: GitHubRepository): GitHubHook[] {
    return [...this.all.values()].filter(({ repositoryId }) => repositoryId === repository.id);
  }

  add(repository: GitHubRepository, fields: Pick<GitHubHook, "active" | "events" | "config">): GitHubHook {
    const nowMs = this.#parts.clock.now();
    const id = this.#parts.identifiers.next("hook", 41_000_001);
    const hook = { id, repositoryId: repository.id, createdAtMs: nowMs, updatedAtMs: nowMs, deliveries: [], ...fields };
    this.all.set(id, hook);
    return hook;
  }

  /** Sends the push events of refs that moved together. */
  refsMoved(repository: GitHubRepository, movements: readonly RefMovement[], actor: GitHubUser): void {
    const isTag = ({ ref }: RefMovement): boolean => ref.startsWith("refs/tags/");
    const tags = movements.filter(isTag);
    const branches = movements.filter(({ ref }) => ref.startsWith("refs/heads/"));
    const announced = [...(branches.length > MAX_BRANCHES ? [] : branches), ...(tags.length > MAX_TAGS ? [] : tags)];
    const hooks = this.of(repository).filter(({ active, events }) => active && (events.includes("push") || events.includes("*")));
    if (hooks.length === 0) return;
    this.#enqueue(async () => {
      for (const movement of announced) {
        const payload = await pushPayload(repository, movement, actor, this.#parts.links());
        for (const hook of hooks) this.deliver(hook, "push", payload);
      }
    });
  }

  /** Sends one delivery in the background. */
  deliver(hook: GitHubHook, event: string, payload: Json, redelivered: HookDelivery | null = null): void {
    const { identifiers, sender, clock } = this.#parts;
    const guid = redelivered?.guid ?? identifiers.uuid("delivery");
    const body = encodeBody(hook.config, payload);
    if (body.length > PAYLOAD_LIMIT_BYTES) return;
    const headers = this.#headers(hook, { event, guid, body });
    const delivery: HookDelivery = {
      id: identifiers.next("delivery", 900_000_001),
      guid,
      event,
      isRedelivery: redelivered !== null,
      deliveredAtMs: clock.now(),
      headers,
      payload,
      result: null,
    };
    hook.deliveries.push(delivery);
    sender.send({ url: hook.config.url, headers, body }, (result) => {
      delivery.result = result;
    });
  }

  /** Resolves when every event so far has been sent and answered. */
  async settled(): Promise<void> {
    await this.#building;
    await this.#parts.sender.settled();
  }

  #enqueue(work: () => Promise<void>): void {
    this.#building = this.#building.then(work, work);
    // A double that is being disposed of loses its repositories under the last payloads.
    this.#building.catch(() => undefined);
  }

  #headers(
    hook: GitHubHook,
    { event, guid, body }: { readonly event: string; readonly guid: string; readonly body: Buffer },
  ): Record<string, string> {
    const { secret, content_type } = hook.config;
    const sign = (algorithm: string): string =>
      createHmac(algorithm, secret ?? "")
        .update(body)
        .digest("hex");
    const version = this.#parts.enterpriseVersion;
    return {
      accept: "*/*",
      "content-type": content_type === "json" ? "application/json" : "application/x-www-form-urlencoded",
      "user-agent": "GitHub-Hookshot/0a1b2c3",
      "x-github-event": event,
      "x-github-delivery": guid,
      "x-github-hook-id": String(hook.id),
      "x-github-hook-installation-target-id": String(hook.repositoryId),
      "x-github-hook-installation-target-type": "repository",
      ...(secret === undefined
        ? {}
        : { "x-hub-signature": `sha1=${sign("sha1")}`, "x-hub-signature-256": `sha256=${sign("sha256")}` }),
      ...(version === null ? {} : { "x-github-enterprise-host": "127.0.0.1", "x-github-enterprise-version": version }),
    };
  }
}

function encodeBody({ content_type }: HookConfig, payload: Json): Buffer {
  const text = JSON.stringify(payload);
  return Buffer.from(content_type === "json" ? text : new URLSearchParams({ payload: text }).toString());
}
