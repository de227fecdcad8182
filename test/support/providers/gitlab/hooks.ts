// Webhooks of the projects: signed and sent as GitLab does, and switched off when their receiver fails too often.
// Sources: https://docs.gitlab.com/user/project/integrations/webhooks/ and https://www.standardwebhooks.com
import { createHmac } from "node:crypto";
import type { Clock } from "../../../../src/domain/clock.ts";
import type { Identifiers } from "../identifiers.ts";
import { type DeliveryResult, PAYLOAD_LIMIT_BYTES, type WebhookSender } from "../webhook-sender.ts";
import type { GitLabUser } from "./credentials.ts";
import type { Json } from "./models.ts";
import { type GitLabProject, type Movement, matchesPattern } from "./project.ts";
import { pushPayload } from "./push-payload.ts";

export type HookFields = {
  url: string;
  name: string | null;
  description: string | null;
  token: string | null;
  /** `whsec_…`; servers before 19.0 do not know it. */
  signingToken: string | null;
  pushEvents: boolean;
  tagPushEvents: boolean;
  branchFilter: string;
  branchFilterStrategy: "wildcard" | "regex" | "all_branches";
  enableSslVerification: boolean;
};

export type HookEvent = {
  readonly id: number;
  /** `Idempotency-Key`, the same when it is sent again. */
  readonly key: string;
  readonly trigger: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: Json;
  readonly createdAtMs: number;
  result: DeliveryResult | null;
};

export type GitLabHook = {
  readonly id: number;
  readonly projectId: number;
  readonly uuid: string;
  readonly createdAtMs: number;
  readonly fields: HookFields;
  readonly events: HookEvent[];
  /** Failures without a success between. */
  failures: number;
  /** How often it was switched off for a while since the last success. */
  backoffs: number;
  disabledUntilMs: number | null;
};

export type GitLabHooksParts = {
  readonly clock: Clock;
  readonly identifiers: Identifiers;
  readonly sender: WebhookSender;
  readonly version: string;
  readonly siteUrl: () => string;
};

/** More refs of a kind in one push than this, and no hook fires. */
const MAX_REFS = 3;
/** So many failures are forgiven before a hook is switched off for a while. */
const FORGIVEN_FAILURES = 3;
const FATAL_FAILURES = 40;
const FIRST_BACKOFF_MS = 60_000;
const LONGEST_BACKOFF_MS = 24 * 3_600_000;

export type AlertStatus = "executable" | "temporarily_disabled" | "disabled";

export class GitLabHooks {
  readonly all = new Map<number, GitLabHook>();
  readonly #parts: GitLabHooksParts;
  #building: Promise<void> = Promise.resolve();

  constructor(parts: GitLabHooksParts) {
    this.#parts = parts;
  }

  of(project: GitLabProject): GitLabHook[] {
    return [...this.all.values()].filter(({ projectId }) => projectId === project.id);
  }

  add(project: GitLabProject, fields: HookFields): GitLabHook {
    const { identifiers, clock } = this.#parts;
    const id = identifiers.next("hook", 3_001);
    const uuid = identifiers.uuid("hook");
    const counters = { failures: 0, backoffs: 0, disabledUntilMs: null };
    const hook = { id, projectId: project.id, uuid, createdAtMs: clock.now(), fields, events: [], ...counters };
    this.all.set(id, hook);
    return hook;
  }

  alertStatus(hook: GitLabHook): AlertStatus {
    if (hook.failures >= FATAL_FAILURES) return "disabled";
    return hook.disabledUntilMs !== null && hook.disabledUntilMs > this.#parts.clock.now()
      ? "temporarily_disabled"
      : "executable";
  }

  /** Sends the events of refs that moved together. */
  refsMoved(project: GitLabProject, movements: readonly Movement[], actor: GitLabUser): void {
    const tags = movements.filter(({ ref }) => ref.startsWith("refs/tags/"));
    const branches = movements.filter(({ ref }) => ref.startsWith("refs/heads/"));
    const announced = [...(branches.length > MAX_REFS ? [] : branches), ...(tags.length > MAX_REFS ? [] : tags)];
    const hooks = this.of(project);
    if (hooks.length === 0) return;
    this.#building = this.#building.then(async () => {
      for (const movement of announced) await this.#announce(project, movement, { actor, hooks });
    });
    // A double that is being disposed of loses its repositories under the last payloads.
    this.#building = this.#building.catch(() => undefined);
  }

  /** Sends one event in the background, whatever the hook's state. `again`: an event that was sent before. */
  deliver(hook: GitLabHook, payload: Json, again: HookEvent | null = null): Promise<DeliveryResult> {
    const { identifiers, sender, clock } = this.#parts;
    const isTag = payload.object_kind === "tag_push";
    const body = Buffer.from(JSON.stringify(payload));
    const key = again?.key ?? identifiers.uuid("idempotency key");
    const headers = this.#headers(hook, { key, body, name: isTag ? "Tag Push Hook" : "Push Hook" });
    const event: HookEvent = {
      id: identifiers.next("event", 70_001),
      key,
      trigger: isTag ? "tag_push_hooks" : "push_hooks",
      headers,
      payload,
      createdAtMs: clock.now(),
      result: null,
    };
    hook.events.push(event);
    const { promise, resolve } = Promise.withResolvers<DeliveryResult>();
    sender.send({ url: hook.fields.url, headers, body }, (result) => {
      event.result = result;
      this.#count(hook, result);
      resolve(result);
    });
    return promise;
  }

  /** Makes a hook usable again, as a successful test does. */
  revive(hook: GitLabHook): void {
    hook.failures = 0;
    hook.backoffs = 0;
    hook.disabledUntilMs = null;
  }

  /** Resolves when every event so far has been sent and answered. */
  async settled(): Promise<void> {
    await this.#building;
    await this.#parts.sender.settled();
  }

  async #announce(
    project: GitLabProject,
    movement: Movement,
    { actor, hooks }: { readonly actor: GitLabUser; readonly hooks: readonly GitLabHook[] },
  ): Promise<void> {
    const wanting = hooks.filter((hook) => this.alertStatus(hook) === "executable" && wants(hook.fields, movement.ref));
    if (wanting.length === 0) return;
    const payload = await pushPayload(project, movement, actor, this.#parts.siteUrl());
    if (Buffer.byteLength(JSON.stringify(payload)) > PAYLOAD_LIMIT_BYTES) return;
    for (const hook of wanting) void this.deliver(hook, payload);
  }

  /** A redirect counts as success. */
  #count(hook: GitLabHook, { status }: DeliveryResult): void {
    const isGood = status !== null && status >= 200 && status < 400;
    if (isGood) this.revive(hook);
    else this.#countFailure(hook);
  }

  #countFailure(hook: GitLabHook): void {
    hook.failures += 1;
    if (hook.failures <= FORGIVEN_FAILURES) return;
    const lengthMs = Math.min(FIRST_BACKOFF_MS * 2 ** hook.backoffs, LONGEST_BACKOFF_MS);
    hook.backoffs += 1;
    hook.disabledUntilMs = this.#parts.clock.now() + lengthMs;
  }

  #headers(
    hook: GitLabHook,
    { key, body, name }: { readonly key: string; readonly body: Buffer; readonly name: string },
  ): Record<string, string> {
    const { identifiers, version, siteUrl, clock } = this.#parts;
    const { token, signingToken } = hook.fields;
    return {
      "content-type": "application/json",
      "user-agent": `GitLab/${version}`,
      "x-gitlab-event": name,
      "x-gitlab-webhook-uuid": hook.uuid,
      "x-gitlab-instance": siteUrl(),
      "x-gitlab-event-uuid": identifiers.uuid("event"),
      "idempotency-key": key,
      ...(token === null ? {} : { "x-gitlab-token": token }),
      ...(signingToken === null ? {} : signatureHeaders(signingToken, { key, body, seconds: Math.floor(clock.now() / 1000) })),
    };
  }
}

export function signatureHeaders(
  signingToken: string,
  { key, body, seconds }: { readonly key: string; readonly body: Buffer; readonly seconds: number },
): Record<string, string> {
  const secret = Buffer.from(signingToken.replace(/^whsec_/, ""), "base64");
  const signature = createHmac("sha256", secret).update(`${key}.${seconds}.`).update(body).digest("base64");
  return { "webhook-id": key, "webhook-timestamp": String(seconds), "webhook-signature": `v1,${signature}` };
}

function wants(fields: HookFields, ref: string): boolean {
  if (ref.startsWith("refs/tags/")) return fields.tagPushEvents;
  if (!fields.pushEvents) return false;
  const branch = ref.slice("refs/heads/".length);
  if (fields.branchFilterStrategy === "all_branches" || fields.branchFilter === "") return true;
  if (fields.branchFilterStrategy === "regex") return new RegExp(fields.branchFilter).test(branch);
  return matchesPattern(fields.branchFilter, branch);
}
