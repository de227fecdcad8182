// Keeps local views as small as what they show: packs that compaction has replaced leave them.
import type { LocalRepositoryStore } from "../open-repository-store.ts";
import type { UpkeepTask } from "./task.ts";

const INTERVAL_MS = 15_000;

/** Costs nothing while no view has a replaced pack. */
export function trimViewsTask(store: Pick<LocalRepositoryStore, "trimViews">): UpkeepTask {
  return {
    name: "trim-views",
    intervalMs: INTERVAL_MS,
    run: async (signal) => ({ done: await store.trimViews(signal), hasMore: false }),
  };
}
