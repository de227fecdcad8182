// Keeps webhooks at providers as syncs want them. Any number of processes may do this: each row is one's alone for a while. What
// changes is announced, and found all the same where the announcement was missed.
import { randomBytes } from "node:crypto";
import { CHANNELS, type Database } from "../db/database.ts";
import { newRowId } from "../db/row-id.ts";
import { seal } from "../db/seal.ts";
import { forgetOldDeliveries } from "../db/webhook-deliveries.ts";
import { alignWebhooks, insertWebhook, type WantedWebhook } from "../db/webhook-wants.ts";
import { claimWebhooks, readNextCheck } from "../db/webhooks.ts";
import { CoregitError } from "../domain/errors.ts";
import { WEBHOOK_SECRET_BYTES } from "../domain/webhook-secrets.ts";
import { pause } from "./pause.ts";
import { type TendOptions, tendWebhook } from "./tend-webhook.ts";

/** Of one process: a provider that is slow holds up no more than these. */
const AT_ONCE = 4;
/** How long a row stays with a worker that died. */
const LEASE_MS = 60_000;
/** Of the lease: what is asked of a provider has ended when it is over. */
const WORK_SHARE = 0.75;
/** All syncs are looked at this often, whatever was announced. */
const LOOK_AT_ALL_MS = 600_000;
/** Rounds are this far apart at least: what is announced meanwhile goes together, thousands of syncs at a start. */
const PACE_MS = 100;
/** While the database is away it is asked again at this pace. */
const RETRY_MS = 1000;

export type WebhookRegistrarOptions = Omit<TendOptions, "database"> & {
  readonly database: Database;
  /** Where providers reach this server, without a trailing slash; null: nowhere, so none is registered. */
  readonly publicUrl: string | null;
  readonly leaseMs?: number;
};

/** Works until it is disposed, which ends what is under way. */
export async function openWebhookRegistrar(options: WebhookRegistrarOptions): Promise<AsyncDisposable> {
  const registrar = new WebhookRegistrar(options);
  await registrar.start();
  return registrar;
}

class WebhookRegistrar implements AsyncDisposable {
  readonly #options: WebhookRegistrarOptions;
  readonly #stop = new AbortController();
  readonly #running = new Set<Promise<void>>();
  /** Syncs to look at; null: all. */
  #pending: Set<string> | null = null;
  #sleep = new AbortController();
  #listener: AsyncDisposable | null = null;
  #done: Promise<void> = Promise.resolve();

  constructor(options: WebhookRegistrarOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#listener = await this.#options.database.listen(CHANNELS.webhookDue, {
      onMessage: (syncId) => this.#note(syncId),
      onGap: () => this.#note(null),
    });
    this.#done = this.#work();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new CoregitError("Interrupted", "The worker was stopped."));
    this.#sleep.abort();
    await this.#listener?.[Symbol.asyncDispose]();
    await this.#done;
    await Promise.all(this.#running);
  }

  #note(syncId: string | null): void {
    if (syncId === null) this.#pending = null;
    else this.#pending?.add(syncId);
    this.#sleep.abort();
  }

  async #work(): Promise<void> {
    const { clock } = this.#options;
    let lookAtAllMs = clock.monotonic() + LOOK_AT_ALL_MS;
    while (!this.#stop.signal.aborted) {
      this.#sleep = new AbortController();
      if (clock.monotonic() > lookAtAllMs) {
        this.#pending = null;
        lookAtAllMs = clock.monotonic() + LOOK_AT_ALL_MS;
      }
      const beganMs = clock.monotonic();
      const sleepMs = await this.#round();
      await pause(Math.min(sleepMs, LOOK_AT_ALL_MS), AbortSignal.any([this.#sleep.signal, this.#stop.signal]));
      await pause(Math.max(0, beganMs + PACE_MS - clock.monotonic()), this.#stop.signal);
    }
  }

  /** Returns how long to sleep after it. */
  async #round(): Promise<number> {
    const { database, logger } = this.#options;
    const looked = this.#pending;
    try {
      if (looked === null || looked.size > 0) await this.#align(looked);
      const free = AT_ONCE - this.#running.size;
      if (free === 0) return LOOK_AT_ALL_MS;
      const nextMs = (await readNextCheck(database)) ?? LOOK_AT_ALL_MS;
      if (nextMs > 0) return nextMs;
      for (const hook of await claimWebhooks(database, free, this.#leaseMs)) this.#run(hook);
      return this.#running.size === AT_ONCE ? LOOK_AT_ALL_MS : 0;
    } catch (err) {
      if (!this.#stop.signal.aborted) logger.warn({ err }, "Webhooks could not be looked after; this is tried again.");
      this.#pending = null;
      return RETRY_MS;
    }
  }

  async #align(syncIds: ReadonlySet<string> | null): Promise<void> {
    this.#pending = new Set();
    const { database, publicUrl } = this.#options;
    if (syncIds === null) await forgetOldDeliveries(database);
    const missing = await alignWebhooks(database, syncIds === null ? null : [...syncIds], publicUrl);
    for (const wanted of missing) await this.#insert(wanted);
  }

  async #insert(wanted: WantedWebhook): Promise<void> {
    const { database, keys } = this.#options;
    const id = newRowId("hook");
    const sealedSecret = seal(keys, { what: "webhook secret", id }, randomBytes(WEBHOOK_SECRET_BYTES));
    await insertWebhook(database, { ...wanted, id, sealedSecret });
  }

  #run(hook: Parameters<typeof tendWebhook>[1]): void {
    const { logger } = this.#options;
    const limit = new AbortController();
    const late = new CoregitError("Timeout", "The provider took too long over the webhook.");
    const timer = setTimeout(() => limit.abort(late), this.#leaseMs * WORK_SHARE);
    const run = tendWebhook(this.#options, hook, AbortSignal.any([this.#stop.signal, limit.signal]))
      // The lease ends by itself.
      .catch((err: unknown) => logger.warn({ err, sync: hook.syncId }, "What became of a webhook could not be recorded."))
      .finally(() => {
        clearTimeout(timer);
        this.#running.delete(run);
        this.#sleep.abort();
      });
    this.#running.add(run);
  }

  get #leaseMs(): number {
    return this.#options.leaseMs ?? LEASE_MS;
  }
}
