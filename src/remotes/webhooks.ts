// The port to webhooks at a provider, and how one is brought to be what is wanted of it, the same way for each provider: found by
// its address, so that what an attempt before this one has made, recorded or not, is taken over and never made twice.

import { CoregitError } from "../domain/errors.ts";
import type { WebhookSecrets } from "../domain/webhook-secrets.ts";
import type { DeclaredTarget } from "./remote.ts";

/** What a webhook is to be: push events only, with certificates checked. */
export type WebhookDemand = {
  /** Where it delivers to. Names it: there is one of an address in a repository. */
  readonly url: string;
  readonly secrets: WebhookSecrets;
  /** The provider's id of the one that was made, or given these secrets, before; null: none was. */
  readonly knownId: string | null;
};

/** Whose webhooks they are. */
export type WebhookTarget = DeclaredTarget & {
  /** The provider's number of the repository, which counts for more than its name; null: it is not known. */
  readonly repositoryId: string | null;
};

export type EnsuredWebhook = {
  readonly id: string;
  /** Why nothing arrives by it although it is there, as a sentence; null: nothing is known against it. */
  readonly fault: string | null;
};

export interface Webhooks {
  /**
   * The provider's number of the repository that has the name now; null: the provider does not tell. One request.
   * @throws CoregitError as `ensureWebhook`.
   */
  identifyRepository(target: DeclaredTarget, signal: AbortSignal): Promise<string | null>;
  /**
   * Makes sure that there is exactly one webhook of that address and that it is as demanded: takes over one that is there, makes
   * one, corrects what somebody changed, switches it on again. One request where all is well. Safe to repeat, whatever became of
   * an attempt before, as long as one caller at a time does it for an address.
   * @throws CoregitError `WebhookUnavailable` when the provider has none for this target or refuses the address or another one;
   *   `AccessDenied`, `RemoteNotFound`, `AuthenticationFailed` when the credential may not; those of `Accounts.inspectCredential`.
   */
  ensureWebhook(target: WebhookTarget, demand: WebhookDemand, signal: AbortSignal): Promise<EnsuredWebhook>;
  /** Removes every webhook of that address but `exceptId`. Idempotent. @throws CoregitError as `ensureWebhook`. */
  removeWebhook(
    target: WebhookTarget,
    of: { readonly url: string; readonly exceptId: string | null },
    signal: AbortSignal,
  ): Promise<void>;
}

/** A webhook as the provider shows it. */
export type FoundWebhook = {
  readonly id: string;
  readonly url: string;
  /** It differs from a demand in what can be seen; secrets cannot. */
  readonly isChanged: boolean;
  /** Its deliveries are refused for their signature: it may have other secrets. */
  readonly isMistrusted: boolean;
  readonly fault: string | null;
};

/** What an adapter does for one repository. Each method but `list` is sent once. */
export interface WebhookApi extends AsyncDisposable {
  /** All of the repository. */
  list(): Promise<readonly FoundWebhook[]>;
  /** Returns the id, or what the provider says against it. */
  create(demand: WebhookDemand): Promise<{ readonly id: string } | { readonly refusal: string }>;
  /** Makes it as demanded, secrets included. */
  update(id: string, demand: WebhookDemand): Promise<void>;
  /** One that is not there any more is removed already. */
  remove(id: string): Promise<void>;
  /** Has the provider deliver something, which it counts. Returns whether it is known to have arrived. */
  revive(id: string): Promise<boolean>;
}

export async function ensureAt(api: WebhookApi, demand: WebhookDemand): Promise<EnsuredWebhook> {
  const found = await findOwn(api, demand);
  if (found !== null) return keep(api, demand, found);
  const made = await api.create(demand);
  if ("id" in made) return { id: made.id, fault: null };
  // Perhaps because somebody has just made it.
  const other = await findOwn(api, demand);
  if (other !== null) return keep(api, demand, other);
  throw new CoregitError("WebhookUnavailable", made.refusal);
}

export async function removeAt(
  api: WebhookApi,
  { url, exceptId }: { readonly url: string; readonly exceptId: string | null },
): Promise<void> {
  for (const hook of await api.list()) if (hook.url === url && hook.id !== exceptId) await api.remove(hook.id);
}

/** The one of the demand's address, which it is made to be. */
async function findOwn(api: WebhookApi, { url, knownId }: WebhookDemand): Promise<FoundWebhook | null> {
  const own = (await api.list()).filter((hook) => hook.url === url);
  const kept = own.find(({ id }) => id === knownId) ?? own[0] ?? null;
  for (const hook of own) if (hook !== kept) await api.remove(hook.id);
  return kept;
}

async function keep(api: WebhookApi, demand: WebhookDemand, hook: FoundWebhook): Promise<EnsuredWebhook> {
  const { id, fault } = hook;
  if (hook.isChanged || hook.isMistrusted || id !== demand.knownId) await api.update(id, demand);
  if (fault === null || (await api.revive(id))) return { id, fault: null };
  return { id, fault };
}
