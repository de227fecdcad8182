// The fields of a sync that the API declares, by the same rules as those of a RepoSync. What the API does not ask for is as in a
// RepoSync that leaves it out, but one that does not sync by itself is not polled either.
import { z } from "zod";
import type { SyncSpec } from "../domain/sync-spec.ts";
import { remote } from "../resources/fields.ts";
import { repoSyncSpecSchema } from "../resources/repo-sync.ts";
import { toSyncSpec } from "../resources/to-declaration.ts";
import { defaultBranchName } from "./schemas.ts";

export const syncRemote = remote().describe(
  "`owner/repo` on GitHub, `group/project` with any number of subgroups on GitLab; for provider `git` a URL, or a path below the connection's `base_url`.",
);
export const syncDirection = z.enum(["import", "export"]);
export const syncBranch = defaultBranchName;
export const autoSync = z.boolean().describe("Import: by the provider's webhook; export: after each change of the branch.");

type Given = {
  readonly remote: string;
  readonly direction: SyncSpec["direction"];
  readonly branch?: string | undefined;
  readonly auto_sync: boolean;
};

export function syncSpecOf({ auto_sync: autoSyncs, ...given }: Given): SyncSpec {
  const polling = autoSyncs ? {} : { interval: "0s" };
  return toSyncSpec(repoSyncSpecSchema.parse({ ...given, autoSync: autoSyncs, ...polling }));
}

type Changed = { readonly [K in keyof Given]?: Given[K] | undefined };

/** What of a declared sync a change is about; what is not given stays. */
export function syncPatchOf({ auto_sync: autoSyncs, ...given }: Changed): Partial<SyncSpec> {
  const asked = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  if (autoSyncs === undefined) return asked;
  const { autoSync: own, intervalMs } = syncSpecOf({ remote: "any/any", direction: "import", auto_sync: autoSyncs });
  return { ...asked, autoSync: own, intervalMs };
}
