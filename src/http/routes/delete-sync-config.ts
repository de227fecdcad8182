import type { SyncConfigs } from "../../sync/sync-configs.ts";
import { DELETED, deletedAnswer } from "../answers/deleted.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { repositoryAddress } from "../schemas.ts";

export const deleteSyncConfig = (syncConfigs: SyncConfigs): Route =>
  defineRepositoryRoute({
    name: "deleteSyncConfig",
    tag: "Sync",
    summary: "Unlink the repository",
    description: "Ends a run that is under way. The repository, the remote and the history stay.",
    method: "DELETE",
    path: "/sync/config",
    access: "master",
    params: repositoryAddress,
    answers: { 200: deletedAnswer },
    problems: ["SyncNotFound", "Managed"],
    async answer({ params }) {
      await syncConfigs.remove(params);
      return { status: 200, body: DELETED };
    },
  });
