// `GET /rate_limit`, which is free and says what is left.
import type { Budgets } from "../budgets.ts";
import type { GitHubRoute } from "../call.ts";
import { apiRefusal } from "../refusals.ts";

export function limitRoutes(budgets: Budgets): readonly GitHubRoute[] {
  return [
    {
      method: "GET",
      template: "/rate_limit",
      isFree: true,
      async answer(call) {
        if (!budgets.limits.isEnabled) throw apiRefusal(404, "Rate limiting is not enabled.");
        const core = budgets.state(call.budgetKey, "core");
        const graphql = budgets.state(call.budgetKey, "graphql");
        const search = { limit: 30, used: 0, remaining: 30, reset: core.reset };
        return { status: 200, json: { resources: { core, graphql, search }, rate: core } };
      },
    },
  ];
}
