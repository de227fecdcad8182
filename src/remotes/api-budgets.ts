// The budgets of all credentials that this process uses, found by provider and a hash of the credential, never by the credential.
import { createHash } from "node:crypto";
import type { Provider } from "../domain/sync-spec.ts";
import { ApiBudget, type Wait } from "./api-budget.ts";
import type { LeastAllowance, ProviderMetrics } from "./provider-metrics.ts";

/** One a credential; beyond that, those that nobody uses are forgotten first. */
const MAX_BUDGETS = 2_000;

export type BudgetOwner = {
  readonly provider: Provider;
  /** The site, for its API and for git alike. */
  readonly origin: string;
  /** Token, password or identity of an App; null: anonymous. */
  readonly secret: string | null;
};

export type ApiBudgetsOptions = { readonly now: () => number; readonly wait: Wait; readonly metrics: ProviderMetrics };

type Entry = { readonly provider: Provider; readonly budget: ApiBudget };

export class ApiBudgets {
  readonly #options: ApiBudgetsOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: ApiBudgetsOptions) {
    this.#options = options;
    options.metrics.followAllowances(() => this.leastAllowances());
  }

  /** The one budget of this credential there. */
  of(owner: BudgetOwner): ApiBudget {
    const key = keyOf(owner);
    const known = this.#entries.get(key);
    this.#entries.delete(key);
    const { provider, origin } = owner;
    const entry = known ?? { provider, budget: this.#newBudget(provider, new URL(origin).host) };
    this.#entries.set(key, entry);
    if (this.#entries.size > MAX_BUDGETS) this.#forgetOne();
    return entry.budget;
  }

  /** From now on `secret` is another name of the owner's credential: tokens of one App pay from one budget. */
  share(owner: BudgetOwner, secret: string): void {
    const budget = this.of(owner);
    this.#entries.set(keyOf({ ...owner, secret }), { provider: owner.provider, budget });
    if (this.#entries.size > MAX_BUDGETS) this.#forgetOne();
  }

  /** What is left by provider and lane, the least of all credentials. */
  leastAllowances(): LeastAllowance[] {
    const least = new Map<string, LeastAllowance>();
    for (const { provider, budget } of this.#entries.values()) {
      for (const { lane, remaining } of budget.allowances) {
        const known = least.get(`${provider} ${lane}`)?.remaining ?? Number.POSITIVE_INFINITY;
        if (remaining < known) least.set(`${provider} ${lane}`, { provider, lane, remaining });
      }
    }
    return [...least.values()];
  }

  #newBudget(provider: Provider, host: string): ApiBudget {
    const { now, wait, metrics } = this.#options;
    return new ApiBudget({ host, now, wait, called: (lane, outcome) => metrics.called(provider, lane, outcome) });
  }

  #forgetOne(): void {
    const [oldest] = this.#entries.keys();
    const idle = this.#entries.entries().find(([, { budget }]) => budget.isIdle)?.[0] ?? oldest;
    if (idle !== undefined) this.#entries.delete(idle);
  }
}

function keyOf({ provider, origin, secret }: BudgetOwner): string {
  return createHash("sha256")
    .update(JSON.stringify([provider, origin, secret]))
    .digest("base64url");
}
