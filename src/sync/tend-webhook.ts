// One webhook at its provider, looked after by whoever holds its row: made, verified, corrected or removed there, and what came of
// it written down. What cannot be had is said and tried again, less and less often; the sync polls meanwhile.
import { openCredential } from "../db/credential-seal.ts";
import type { Database } from "../db/database.ts";
import { notify } from "../db/notify.ts";
import { open, type SealingKeys } from "../db/seal.ts";
import { type ClaimedWebhook, deleteWebhook, type WebhookResult, writeRemoteId, writeWebhook } from "../db/webhooks.ts";
import type { Clock, Random } from "../domain/clock.ts";
import { CoregitError, type ErrorCode, toCoregitError } from "../domain/errors.ts";
import type { Logger } from "../domain/log.ts";
import { identityOf } from "../domain/remote-identity.ts";
import { webhookSecrets } from "../domain/webhook-secrets.ts";
import type { Webhooks, WebhookTarget } from "../remotes/webhooks.ts";

/** One that works is looked at this often: a request four times a day, for what somebody changed there. */
const VERIFY_EACH_MS = 6 * 3_600_000;
const FIRST_RETRY_MS = 30_000;
/** Both providers forgive a wait of this length, and nobody looks for a webhook of a sync that is gone for longer. */
const REMOVE_WITHIN_MS = 24 * 3_600_000;

/** These say nothing about a webhook that is there. */
const NOT_REACHED: ReadonlySet<ErrorCode> = new Set([
  "RemoteUnreachable",
  "RemoteTooSlow",
  "RemoteProtocol",
  "RateLimited",
  "CertificateInvalid",
  "Timeout",
]);
/** With these a credential that nobody replaces will never remove it. */
const NOT_LET_IN: ReadonlySet<ErrorCode> = new Set([
  "AuthenticationFailed",
  "AccessDenied",
  "SecretInvalid",
  "CredentialUnreadable",
]);

export type TendOptions = {
  readonly database: Database;
  readonly keys: SealingKeys;
  readonly webhooks: Webhooks;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
};

/** Never rejects but for the database. `signal` ends it before the lease does; then the row is looked at again. */
export async function tendWebhook(options: TendOptions, hook: ClaimedWebhook, signal: AbortSignal): Promise<void> {
  if (hook.retiredForMs !== null) await removeRetired(options, hook, signal);
  else await ensureWanted(options, hook, signal);
}

async function ensureWanted(options: TendOptions, hook: ClaimedWebhook, signal: AbortSignal): Promise<void> {
  const { database, logger } = options;
  const found = await find(options, hook, signal);
  if (!(await writeWebhook(database, hook, found))) return;
  const { state, message } = found;
  if (state === hook.state && message === hook.message && found.hookId === hook.hookId) return;
  await notify(database, "syncChanged", [hook.syncId]);
  const isFailing = state === "Unavailable" && found.failures > 0;
  logger[isFailing ? "warn" : "info"]({ sync: hook.syncId, state, reason: message }, "A webhook was looked after.");
}

async function find(options: TendOptions, hook: ClaimedWebhook, signal: AbortSignal): Promise<WebhookResult> {
  const impossible = whyImpossible(hook);
  if (impossible !== null) return { ...impossible, hookId: null, failures: 0, nextCheckInMs: VERIFY_EACH_MS };
  try {
    const { url, hookId: knownId } = hook;
    const secrets = webhookSecrets(open(options.keys, { what: "webhook secret", id: hook.id }, hook.sealedSecret));
    const demand = { url: url ?? "", secrets, knownId };
    const target = await identify(options, hook, signal);
    const { id, fault } = await options.webhooks.ensureWebhook(target, demand, signal);
    if (fault === null)
      return { hookId: id, state: "Active", message: null, failures: 0, nextCheckInMs: spread(options, VERIFY_EACH_MS) };
    return { hookId: id, state: "Unavailable", message: fault, ...retry(options, hook, null) };
  } catch (thrown) {
    return notFound(options, hook, toCoregitError(signal.aborted ? signal.reason : thrown));
  }
}

/** The target by its number, which the row has before anything is made there. */
async function identify(options: TendOptions, hook: ClaimedWebhook, signal: AbortSignal): Promise<WebhookTarget> {
  const target = targetOf(options.keys, hook);
  const repositoryId = target.repositoryId ?? (await options.webhooks.identifyRepository(target, signal));
  if (repositoryId === null || hook.remoteId !== null) return target;
  if (await writeRemoteId(options.database, hook, repositoryId)) return { ...target, repositoryId };
  throw new CoregitError("Interrupted", "Another worker looks after the webhook.");
}

function notFound(options: TendOptions, hook: ClaimedWebhook, error: CoregitError): WebhookResult {
  const { hookId, state, message, failures } = hook;
  // The worker stops: another one looks at once.
  if (error.code === "Interrupted") return { hookId, state, message, failures, nextCheckInMs: 0 };
  if (error.code === "Internal") options.logger.error({ err: error.cause }, "A webhook met a defect.");
  const next = retry(options, hook, error);
  if (state === "Active" && NOT_REACHED.has(error.code)) return { hookId, state, message, ...next };
  return { hookId, state: "Unavailable", message: error.message, ...next };
}

/** A state without asking anybody, or null. */
function whyImpossible({ url, provider, access, hasDelivered }: ClaimedWebhook): Pick<WebhookResult, "state" | "message"> | null {
  const unavailable = (message: string) => ({ state: "Unavailable" as const, message });
  if (provider === "git" && hasDelivered) return { state: "Active", message: null };
  if (url === null) return unavailable("COREGIT_PUBLIC_URL is not set, so no provider could reach this server.");
  if (provider === "git") return unavailable(BY_HAND);
  return access === null ? unavailable("There is no connection that can be used for it.") : null;
}

const BY_HAND =
  "Nothing has arrived yet. A server of provider git has no API for webhooks: set one up there by hand, with what GET /v1/repos/{namespace}/{slug}/sync/webhook answers.";

async function removeRetired(options: TendOptions, hook: ClaimedWebhook, signal: AbortSignal): Promise<void> {
  const { database, logger } = options;
  const { url, provider, access, successorHookId: exceptId } = hook;
  // Nothing was registered, or nobody would be let in.
  if (url === null || provider === "git" || access === null) return deleteWebhook(database, hook);
  try {
    await options.webhooks.removeWebhook(targetOf(options.keys, hook), { url, exceptId }, signal);
    await deleteWebhook(database, hook);
  } catch (thrown) {
    const error = toCoregitError(signal.aborted ? signal.reason : thrown);
    if (!isHopeless(hook, error)) {
      const { hookId, state, message, failures } = hook;
      const next = error.code === "Interrupted" ? { failures, nextCheckInMs: 0 } : retry(options, hook, error);
      await writeWebhook(database, hook, { hookId, state, message, ...next });
      return;
    }
    logger.warn({ sync: hook.syncId, url, remote: hook.remote, reason: error.message }, "A webhook is left at its provider.");
    await deleteWebhook(database, hook);
  }
}

function isHopeless({ retiredForMs, access }: ClaimedWebhook, { code }: CoregitError): boolean {
  if (code === "RemoteNotFound" || code === "InvalidSpec" || code === "WebhookUnavailable") return true;
  return (retiredForMs ?? 0) > REMOVE_WITHIN_MS || (access?.isCopy === true && NOT_LET_IN.has(code));
}

/** By the number of its repository, or of that which the sync is tied to, if one is known: the name may lead to another one now. */
function targetOf(keys: SealingKeys, hook: ClaimedWebhook): WebhookTarget {
  const { provider, baseUrl, access } = hook;
  const { connectionId = "", sealedCredential = null, caPem = null } = access ?? {};
  const credential = sealedCredential === null ? null : openCredential(keys, connectionId, sealedCredential);
  const repositoryId = hook.remoteId ?? identityOf(hook.identity, hook)?.id ?? null;
  return { provider, baseUrl, remote: hook.remote, repositoryId, credential, caPem };
}

/** Slower each time, up to the pace of those that work; never before the provider allows it. */
function retry(
  options: Pick<TendOptions, "random" | "clock">,
  { failures }: ClaimedWebhook,
  error: CoregitError | null,
): Pick<WebhookResult, "failures" | "nextCheckInMs"> {
  const backoffMs = spread(options, Math.min(VERIFY_EACH_MS, FIRST_RETRY_MS * 2 ** Math.min(failures, 20)));
  const retryAtMs = error?.retryAtMs ?? null;
  const waitMs = retryAtMs === null ? 0 : retryAtMs - options.clock.now();
  return { failures: failures + 1, nextCheckInMs: Math.max(backoffMs, waitMs) };
}

function spread({ random }: Pick<TendOptions, "random">, ms: number): number {
  return Math.round(ms * (0.75 + random() / 4));
}
