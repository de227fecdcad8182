// What a claimed sync is to run: its schedule, or what triggers ask for. A run answers every open trigger of one branch and
// mode; triggers of another branch or mode stay open and make the sync due again. A trigger that arrives after this point
// is not answered by this run, because the run may have read the remote before; nor is one that came after a claim that found none.
import type { Database } from "../db/database.ts";
import { newRowId } from "../db/row-id.ts";
import type { ClaimedSync } from "../db/sync-leases.ts";
import { listOpenTriggers, type Trigger, takeTriggers } from "../db/triggers.ts";
import type { RepositoryStore } from "../repositories/store.ts";
import type { RunRequest } from "./run.ts";

export async function takeRequest(database: Database, store: RepositoryStore, claim: ClaimedSync): Promise<RunRequest> {
  const open = claim.hasTriggers ? await listOpenTriggers(database, claim.lease.syncId) : [];
  const [first] = open;
  if (first === undefined) return scheduled(claim, newRowId("run"), []);
  const group = open.filter(({ branch, mode }) => branch === first.branch && mode === first.mode);
  // A trigger that an interrupted run had taken keeps its promise of an answer, under another run's id.
  const isFresh = await isUnused(database, first.runId);
  const runId = isFresh ? first.runId : newRowId("run");
  const triggerIds = group.map(({ id }) => id);
  await takeTriggers(database, triggerIds, { runId, epoch: claim.lease.epoch });
  if (!(await isOutsideDeclaration(store, claim, first))) return scheduled(claim, runId, triggerIds);
  return { runId, branch: first.branch, mode: first.mode, triggerIds, isBeside: true };
}

function scheduled(claim: ClaimedSync, runId: string, triggerIds: readonly string[]): RunRequest {
  return { runId, branch: null, mode: claim.spec.mode, triggerIds, isBeside: false };
}

async function isUnused(database: Database, runId: string): Promise<boolean> {
  const { rowCount } = await database.query("SELECT 1 FROM runs WHERE id = $1", [runId]);
  return rowCount === 0;
}

/** True when the trigger names another branch or mode than the declaration. */
async function isOutsideDeclaration(store: RepositoryStore, claim: ClaimedSync, trigger: Trigger): Promise<boolean> {
  const { spec } = claim;
  if (trigger.mode !== spec.mode) return true;
  if (trigger.branch === null) return false;
  const local = spec.branch ?? (await store.get(claim.repositoryId))?.defaultBranch;
  return trigger.branch !== local || trigger.branch !== (spec.remoteBranch ?? local);
}
