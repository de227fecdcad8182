import { z } from "zod";
import type { SyncConfigs } from "../../sync/sync-configs.ts";
import { UPDATED, updatedAnswer } from "../answers/updated.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { repositoryAddress } from "../schemas.ts";
import { autoSync, syncBranch, syncDirection, syncPatchOf, syncRemote } from "../sync-config-body.ts";

const body = z.strictObject({
  remote: syncRemote.optional(),
  direction: syncDirection.optional(),
  branch: syncBranch.optional(),
  auto_sync: autoSync.optional(),
});

export const updateSyncConfig = (syncConfigs: SyncConfigs): Route =>
  defineRepositoryRoute({
    name: "updateSyncConfig",
    tag: "Sync",
    summary: "Change the repository's sync",
    description:
      "What is left out stays. Another remote, direction or branch starts a new baseline: the next run compares both sides as if for the first time.",
    method: "PATCH",
    path: "/sync/config",
    access: "master",
    params: repositoryAddress,
    body,
    example: { direction: "export", auto_sync: true, branch: "develop", remote: "octocat/other-repo" },
    answers: { 200: updatedAnswer },
    problems: ["SyncNotFound", "Managed", "ConnectionMissing", "InvalidSpec"],
    async answer({ params, body: given }) {
      await syncConfigs.update(params, syncPatchOf(given));
      return { status: 200, body: UPDATED };
    },
  });
