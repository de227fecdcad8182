import { z } from "zod";
import type { SyncStatus } from "../../domain/declaration.ts";
import type { Repository, RepositoryStore } from "../../repositories/store.ts";
import type { SyncConfigs } from "../../sync/sync-configs.ts";
import type { AnswerOf } from "../answers/answer-of.ts";
import { newSyncConfigAnswer } from "../answers/sync.ts";
import { findRepository } from "../find-repository.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { repositoryAddress, rowId } from "../schemas.ts";
import { autoSync, syncBranch, syncDirection, syncRemote, syncSpecOf } from "../sync-config-body.ts";

type Ports = { readonly store: RepositoryStore; readonly syncConfigs: SyncConfigs };

const body = z.strictObject({
  connection_id: rowId,
  remote: syncRemote,
  direction: syncDirection.default("import"),
  branch: syncBranch.optional().describe("Default: the repository's default branch."),
  auto_sync: autoSync.default(false),
});

export const createSyncConfig = ({ store, syncConfigs }: Ports): Route =>
  defineRepositoryRoute({
    name: "createSyncConfig",
    tag: "Sync",
    summary: "Link the repository to a remote",
    description:
      "A repository has one sync that the API declares, beside those of resources and files. Its first run begins at once.",
    method: "POST",
    path: "/sync/config",
    access: "master",
    params: repositoryAddress,
    body,
    example: {
      connection_id: "conn_0123456789abcdef",
      remote: "octocat/my-repo",
      direction: "import",
      branch: "main",
      auto_sync: true,
    },
    answers: { 201: newSyncConfigAnswer },
    problems: ["ConnectionMissing", "SyncExists", "SyncNotFound", "InvalidSpec"],
    async answer({ params, body: given }) {
      const repository = await findRepository(store, params);
      const { connection_id: connectionId, ...rest } = given;
      const sync = await syncConfigs.create(params, { connectionId, spec: syncSpecOf(rest) });
      return { status: 201, body: present(sync, connectionId, repository) };
    },
  });

function present(
  { id, provider, spec, webhook }: SyncStatus,
  connectionId: string,
  repository: Repository,
): AnswerOf<typeof newSyncConfigAnswer> {
  return {
    id,
    repo_id: repository.id,
    connection_id: connectionId,
    provider,
    remote: spec.remote,
    branch: spec.branch ?? repository.defaultBranch,
    direction: spec.direction,
    auto_sync: spec.autoSync,
    webhook_id: webhook?.id == null ? null : Number(webhook.id),
  };
}
