// What a run would change, or has. A run that found nothing new has made no plan: it would change nothing.
import type { RunRecord } from "../../sync/history.ts";
import type { AnswerOf } from "../answers/answer-of.ts";
import type { plannedAnswer } from "../answers/sync.ts";

/** null: the run failed, or has not come, so far as to plan. A plan that conflicts is one. */
export function presentPlan({ plan, status, added, modified, deleted }: RunRecord): AnswerOf<typeof plannedAnswer> | null {
  if (plan === null && (status === "error" || status === "running")) return null;
  return { plan: plan ?? { added, modified, deleted, paths: [], conflicts: [] } };
}
