// Upkeep of a store put together: the tasks and the loop that runs them.
import { openUpkeep } from "./open-upkeep.ts";
import { type UpkeepParts, upkeepTasks } from "./upkeep-tasks.ts";

/** Keeps the store until it is disposed, which must come before that of the store and the database. */
export function openStoreUpkeep(parts: UpkeepParts): AsyncDisposable {
  return openUpkeep({ ...parts, tasks: upkeepTasks(parts) });
}
