// What is counted of calls to providers, as a port: whoever wants numbers passes an implementation in.
import type { Provider } from "../domain/sync-spec.ts";

/**
 * `limited`: asked to wait; `held`: not sent, because the provider has asked to wait; `refused`: another 4xx; `failed`: 5xx, or no
 * answer that is one.
 */
export type CallOutcome = "ok" | "limited" | "held" | "refused" | "failed";

/** What a provider said is left, over all credentials the least. */
export type LeastAllowance = { readonly provider: Provider; readonly lane: string; readonly remaining: number };

export interface ProviderMetrics {
  called(provider: Provider, lane: string, outcome: CallOutcome): void;
  /** `read` is asked whenever the numbers are. */
  followAllowances(read: () => readonly LeastAllowance[]): void;
}

export const noProviderMetrics: ProviderMetrics = { called: () => undefined, followAllowances: () => undefined };
