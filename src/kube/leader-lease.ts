// One leader among many processes, by a coordination.k8s.io Lease. Who holds it renews it; who does not takes it over once it
// has stood unchanged for its duration, measured by the local monotonic clock only, never by the timestamps in it. This
// elects, it does not fence: a paused leader may wake up and still believe. What must never be written twice needs a
// fence of its own. A leader that could not renew within the deadline gives up before anybody else may take over.
import type { Clock, Random } from "../domain/clock.ts";
import type { Logger } from "../domain/log.ts";
import { KubeApiError } from "./api-error.ts";
import type { KubeApi } from "./kube-api.ts";
import type { KubeObject, ObjectName, ResourceKind } from "./object.ts";
import { SaidOnce } from "./said-once.ts";
import { pause, type Timers } from "./timers.ts";

export const LEASES: ResourceKind = { group: "coordination.k8s.io", version: "v1", plural: "leases", kind: "Lease" };

export type LeaseTiming = { readonly durationMs: number; readonly renewDeadlineMs: number; readonly retryMs: number };

/** controller-runtime's. */
export const LEASE_TIMING: LeaseTiming = { durationMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2000 };

export type LeaderLeaseOptions = {
  readonly api: KubeApi;
  readonly name: ObjectName;
  /** Unique to this process. */
  readonly identity: string;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly timing?: LeaseTiming;
};

/** Runs while this process leads. `lost` aborts when it no longer does; the work then ends at once. */
export type LeaderWork = (lost: AbortSignal) => Promise<void>;

type LeaseSpec = {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
};

export class LeaderLease {
  readonly #options: LeaderLeaseOptions;
  readonly #timing: LeaseTiming;
  readonly #said: SaidOnce;
  #observed: { readonly version: string; readonly atMs: number } | null = null;
  #renewedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: LeaderLeaseOptions) {
    this.#options = options;
    this.#timing = options.timing ?? LEASE_TIMING;
    this.#said = new SaidOnce(options.clock);
  }

  /** True while nobody else can have taken the lease over. */
  get isHeld(): boolean {
    return this.#options.clock.monotonic() - this.#renewedAtMs < this.#timing.renewDeadlineMs;
  }

  /** Campaigns until `signal` aborts, running `work` each time the lease is won; gives the lease back at the end. */
  async campaign(signal: AbortSignal, work: LeaderWork): Promise<void> {
    while (!signal.aborted) {
      if (await this.#tryHold(signal)) await this.#lead(signal, work);
      else await pause(this.#options.timers, this.#retryMs(), signal);
    }
  }

  async #lead(signal: AbortSignal, work: LeaderWork): Promise<void> {
    const { logger, identity } = this.#options;
    logger.info({ identity }, "Leading.");
    const lost = new AbortController();
    const over = AbortSignal.any([signal, lost.signal]);
    const working = work(over).catch((error: unknown) => logger.error({ error }, "The leader's work failed."));
    const ended = working.finally(() => lost.abort());
    await this.#keep(over);
    lost.abort();
    await ended;
    await this.#release();
    logger.info({ identity }, "No longer leading.");
  }

  /** Renews until `over` aborts or the deadline has passed without success. */
  async #keep(over: AbortSignal): Promise<void> {
    const { timers } = this.#options;
    while (!over.aborted && this.isHeld) {
      await pause(timers, Math.min(this.#timing.retryMs, this.#remainingMs()), over);
      if (!over.aborted) await this.#tryHold(over);
    }
  }

  /** Acquires or renews. Never throws: what fails, a conflict included, is tried again and costs the lease only in the end. */
  async #tryHold(signal: AbortSignal): Promise<boolean> {
    const startedAtMs = this.#options.clock.monotonic();
    try {
      const isHolder = await this.#acquireOrRenew(signal);
      // Counted from before the call: the server may have stored it at any moment since.
      this.#renewedAtMs = isHolder ? startedAtMs : Number.NEGATIVE_INFINITY;
      this.#said.forget(LEASES.plural);
      return isHolder;
    } catch (error) {
      if (!signal.aborted) this.#tell(error);
      return false;
    }
  }

  /** A conflict is everyday life, an unreachable server everybody's trouble; a refusal stays until somebody grants the right. */
  #tell(error: unknown): void {
    const { logger, name } = this.#options;
    const isRefused = error instanceof KubeApiError && [401, 403, 404].includes(error.status ?? 0);
    const isNews = isRefused && this.#said.isNews(LEASES.plural, error.message);
    logger[isNews ? "warn" : "debug"](
      { lease: name.name, namespace: name.namespace, error },
      "The lease could not be read or written.",
    );
  }

  async #acquireOrRenew(signal: AbortSignal): Promise<boolean> {
    const { api, name } = this.#options;
    const call = { signal, timeoutMs: this.#callTimeoutMs() };
    const lease = await api.get(LEASES, name, call);
    if (lease === null) {
      await api.create(LEASES, name.namespace, { metadata: { name: name.name }, spec: this.#spec(null) }, call);
      return true;
    }
    this.#observe(lease);
    if (!this.#mayTake(lease)) return false;
    this.#observe(await api.replace(LEASES, { ...lease, spec: this.#spec(specOf(lease)) }, call));
    return true;
  }

  #observe(lease: KubeObject): void {
    const version = lease.metadata.resourceVersion;
    if (this.#observed?.version !== version) this.#observed = { version, atMs: this.#options.clock.monotonic() };
  }

  #mayTake(lease: KubeObject): boolean {
    const { holderIdentity = "", leaseDurationSeconds } = specOf(lease);
    if (holderIdentity === "" || holderIdentity === this.#options.identity) return true;
    const durationMs = leaseDurationSeconds === undefined ? this.#timing.durationMs : leaseDurationSeconds * 1000;
    return this.#observed !== null && this.#options.clock.monotonic() - this.#observed.atMs > durationMs;
  }

  #spec(before: LeaseSpec | null): LeaseSpec {
    const { identity, clock } = this.#options;
    const now = new Date(clock.now()).toISOString().replace("Z", "000Z");
    const isRenewal = before?.holderIdentity === identity;
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(this.#timing.durationMs / 1000),
      acquireTime: isRenewal ? (before.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: (before?.leaseTransitions ?? 0) + (isRenewal ? 0 : 1),
    };
  }

  /** Lets the next leader start at once. Failing is harmless: the lease then runs out. */
  async #release(): Promise<void> {
    const { api, name, identity, logger } = this.#options;
    this.#renewedAtMs = Number.NEGATIVE_INFINITY;
    try {
      const call = { timeoutMs: this.#timing.retryMs };
      const lease = await api.get(LEASES, name, call);
      if (lease === null || specOf(lease).holderIdentity !== identity) return;
      await api.replace(
        LEASES,
        { ...lease, spec: { ...this.#spec(specOf(lease)), holderIdentity: "", leaseDurationSeconds: 1 } },
        call,
      );
    } catch (error) {
      logger.debug({ error }, "The lease could not be given back.");
    }
  }

  #remainingMs(): number {
    return this.#renewedAtMs + this.#timing.renewDeadlineMs - this.#options.clock.monotonic();
  }

  /** A call must not outlast the deadline that it serves. */
  #callTimeoutMs(): number {
    const usualMs = this.#timing.renewDeadlineMs / 2;
    return Math.max(1, Math.floor(this.isHeld ? Math.min(usualMs, this.#remainingMs()) : usualMs));
  }

  #retryMs(): number {
    return this.#timing.retryMs * (1 + 0.2 * this.#options.random());
  }
}

function specOf(lease: KubeObject): LeaseSpec {
  return (lease.spec ?? {}) as LeaseSpec;
}
