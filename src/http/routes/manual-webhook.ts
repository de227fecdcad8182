// What a webhook is set up with by hand, at a git server that has no API by which it could be made.
import { z } from "zod";
import { CoregitError } from "../../domain/errors.ts";
import type { RepositoryStore } from "../../repositories/store.ts";
import type { Declarations } from "../../sync/declarations.ts";
import type { ManualWebhooks } from "../../sync/manual-webhooks.ts";
import { manualWebhookAnswer } from "../answers/webhook.ts";
import { findRepository } from "../find-repository.ts";
import { foremostSync, requireSyncOf } from "../find-sync.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { type RepositoryAddress, repositoryAddress, rowId } from "../schemas.ts";

type Ports = {
  readonly store: RepositoryStore;
  readonly declarations: Declarations;
  readonly manualWebhooks: ManualWebhooks;
};

const PATH = "/sync/webhook";
const query = z.strictObject({
  sync_id: rowId
    .optional()
    .describe("One of the repository's syncs, whoever declared it; without it the one that `sync/config` shows."),
});
const shared = {
  tag: "Sync",
  path: PATH,
  access: "master",
  params: repositoryAddress,
  query,
  answers: { 200: manualWebhookAnswer },
  problems: ["SyncNotFound", "NoManualWebhook"],
} as const;

export const getManualWebhook = (ports: Ports): Route =>
  defineRepositoryRoute({
    ...shared,
    name: "getSyncWebhook",
    summary: "Address and secret of a webhook that is set up by hand",
    description:
      "For an import with `auto_sync` from a server of provider `git`, such as Gitea or Forgejo. Webhooks at GitHub and GitLab are made by Coregit, and their secrets are shown to nobody.",
    method: "GET",
    async answer({ params, query: { sync_id } }) {
      return { status: 200, body: await ports.manualWebhooks.read(await findSync(ports, params, sync_id)) };
    },
  });

export const rotateManualWebhook = (ports: Ports): Route =>
  defineRepositoryRoute({
    ...shared,
    name: "rotateSyncWebhook",
    summary: "Give a webhook that is set up by hand another secret",
    description:
      "The address stays. Deliveries that are signed with the secret before are refused from now on, so set the new one at the git server at once.",
    method: "POST",
    async answer({ params, query: { sync_id } }) {
      return { status: 200, body: await ports.manualWebhooks.rotate(await findSync(ports, params, sync_id)) };
    },
  });

async function findSync({ store, declarations }: Ports, address: RepositoryAddress, syncId: string | undefined): Promise<string> {
  if (syncId !== undefined) return (await requireSyncOf({ store, declarations }, address, syncId)).id;
  const repository = await findRepository(store, address);
  const sync = foremostSync(await declarations.listSyncs({ repositoryId: repository.id }));
  if (sync !== null) return sync.id;
  throw new CoregitError("SyncNotFound", `The repository ${address.namespace}/${address.slug} has no sync.`);
}
