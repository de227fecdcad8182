// Numbers of calls to providers.
import { Counter, Gauge, type Registry } from "prom-client";
import type { Provider } from "../domain/sync-spec.ts";

type LeastAllowance = { readonly provider: Provider; readonly lane: string; readonly remaining: number };

/** What remotes report of their calls, in their own port's form. */
export interface ProviderMetrics {
  called(provider: Provider, lane: string, outcome: string): void;
  followAllowances(read: () => readonly LeastAllowance[]): void;
}

export function createProviderMetrics(registry: Registry): ProviderMetrics {
  const registers = [registry];
  const calls = new Counter({
    name: "coregit_provider_calls_total",
    help: "Requests to providers by what they were counted as there and how they ended.",
    labelNames: ["provider", "lane", "outcome"],
    registers,
  });
  let read: () => readonly LeastAllowance[] = () => [];
  new Gauge({
    name: "coregit_provider_allowance_remaining",
    help: "Requests that a provider has said are left, the least of all credentials, until its count begins anew.",
    labelNames: ["provider", "lane"],
    registers,
    collect() {
      this.reset();
      for (const { provider, lane, remaining } of read()) this.set({ provider, lane }, remaining);
    },
  });
  return {
    called: (provider, lane, outcome) => calls.inc({ provider, lane, outcome }),
    followAllowances(next) {
      read = next;
    },
  };
}
