// What an authentic delivery says, as far as a sync is concerned: that a branch moved, or nothing. A delivery is a hint: nothing
// it says is believed but that it is time to look.
import { CoregitError } from "./errors.ts";
import type { Provider } from "./sync-spec.ts";
import { type DeliveryHeaders, header } from "./webhook-signature.ts";

/** Why an authentic delivery changes nothing. */
export const IGNORED_REASONS = [
  "ping",
  "other_event",
  "other_branch",
  "tag",
  "deletion",
  "duplicate",
  "suspended",
  "not_automatic",
] as const;
export type IgnoredReason = (typeof IGNORED_REASONS)[number];

/** What of a sync decides about a delivery. */
export type ListeningSync = {
  readonly suspended: boolean;
  /** An import with autoSync. */
  readonly isAutomatic: boolean;
  /** The remote branch that it follows; null: not known before its first success. */
  readonly branch: string | null;
};

const PUSH = "push";
const BRANCHES = "refs/heads/";
const NO_COMMIT = /^0+$/;
const MAX_DELIVERY_ID = 200;

/** By which a delivery that is sent again is known; null: it has none. GitLab's X-Gitlab-Event-UUID is shared by different ones. */
export function deliveryId(provider: Provider, headers: DeliveryHeaders): string | null {
  const ids = DELIVERY_IDS[provider].map((name) => header(headers, name));
  const id = ids.find((one) => one !== null) ?? null;
  return id === null || id.length > MAX_DELIVERY_ID ? null : id;
}

const DELIVERY_IDS: Readonly<Record<Provider, readonly string[]>> = {
  github: ["x-github-delivery"],
  gitlab: ["webhook-id", "idempotency-key"],
  git: ["x-forgejo-delivery", "x-gitea-delivery", "x-github-delivery", "x-gogs-delivery"],
};

/**
 * Why the delivery is ignored; null: it is news for the sync.
 * @throws CoregitError `InvalidRequest` for a push that lacks what a push has.
 */
export function judgeDelivery(
  { provider, headers, payload }: { readonly provider: Provider; readonly headers: DeliveryHeaders; readonly payload: unknown },
  sync: ListeningSync,
): IgnoredReason | null {
  if (!isRecord(payload)) throw malformed("is not a JSON object");
  const event = eventOf(provider, headers, payload);
  if (event === "ping") return "ping";
  if (event !== PUSH && event !== "tag_push") return "other_event";
  return judgePush(payload, sync);
}

function judgePush({ ref, after, deleted }: Readonly<Record<string, unknown>>, sync: ListeningSync): IgnoredReason | null {
  if (typeof ref !== "string" || typeof after !== "string") throw malformed("is a push without `ref` and `after`");
  if (ref.startsWith("refs/tags/")) return "tag";
  if (!ref.startsWith(BRANCHES)) return "other_branch";
  if (sync.branch !== null && ref !== `${BRANCHES}${sync.branch}`) return "other_branch";
  if (deleted === true || NO_COMMIT.test(after)) return "deletion";
  if (sync.suspended) return "suspended";
  return sync.isAutomatic ? null : "not_automatic";
}

/** Gitea and Forgejo send every name that there was before theirs. GitLab says it in the payload, which is signed. */
const EVENT_HEADERS = ["x-forgejo-event", "x-gitea-event", "x-github-event", "x-gogs-event"];

function eventOf(provider: Provider, headers: DeliveryHeaders, payload: Readonly<Record<string, unknown>>): string | null {
  if (provider === "gitlab") return typeof payload.object_kind === "string" ? payload.object_kind : null;
  const names = provider === "github" ? ["x-github-event"] : EVENT_HEADERS;
  return names.map((name) => header(headers, name)).find((name) => name !== null) ?? null;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function malformed(what: string): CoregitError {
  return new CoregitError("InvalidRequest", `The delivery's payload ${what}.`);
}
