// An import from gathering to the record: the order of the steps, and what is tried again within one run (the remote moved
// while it was read, the local branch moved while it was planned).

import type { SyncPoint } from "../db/sync-points.ts";
import { CoregitError } from "../domain/errors.ts";
import type { Remote } from "../remotes/remote.ts";
import { isWorthAnotherLook, MAX_HEADS } from "./another-look.ts";
import { executeImport } from "./execute-import.ts";
import { fetchSource, isAtHand, readableBase, type Source, storedSource } from "./fetch-source.ts";
import { gather, headsOf, type Situation } from "./gather.ts";
import { describePlan, planImport, readTarget, requireChanges } from "./plan-import.ts";
import { recordBegin, recordPlan, recordUnchanged } from "./record.ts";
import { requireIdentity } from "./remote-identity.ts";
import { inSpan, type Run } from "./run.ts";
import { suspectSilence } from "./suspect-silence.ts";

/** Planning and publishing take milliseconds; a branch that moves this often in between is left to the next run. */
const MAX_PLANS = 5;

export type Ending = "success" | "skipped";

/** Runs an import to its record and says how it ended. @throws CoregitError why it failed; then nothing is recorded yet. */
export async function runImport(run: Run, remote: Remote): Promise<Ending> {
  for (let heads = 1; ; heads += 1) {
    const situation = await gather(run, remote);
    if ("concluded" in situation) {
      await recordUnchanged(run, situation.concluded, false);
      return "skipped";
    }
    await suspectSilence(run, situation.remote);
    try {
      return await importHead(run, remote, situation);
    } catch (error) {
      if (!isWorthAnotherLook(error) || heads === MAX_HEADS) throw error;
    }
  }
}

async function importHead(run: Run, remote: Remote, situation: Situation): Promise<Ending> {
  const base = await readableBase(situation);
  await using source = await openSource(run, remote, situation, base);
  for (let plans = 1; ; plans += 1) {
    const local = plans === 1 ? situation.local : await situation.reader.readRef(`refs/heads/${situation.localBranch}`);
    try {
      return await planAndExecute(run, { ...situation, local }, source, base);
    } catch (error) {
      if (!isCode(error, "RefMoved") || plans === MAX_PLANS) throw error;
    }
  }
}

async function openSource(run: Run, remote: Remote, situation: Situation, base: SyncPoint | null): Promise<Source> {
  if (isAtHand(situation, base)) return storedSource(situation, base);
  await recordBegin(run);
  await requireIdentity(run, remote);
  return fetchSource(run, remote, situation, base);
}

async function planAndExecute(run: Run, situation: Situation, source: Source, base: SyncPoint | null): Promise<Ending> {
  const target = await readTarget(situation, situation.local);
  const result = await inSpan(run, "plan", () => planImport(run, source, target, base));
  run.signal.throwIfAborted();
  run.progress.heads = headsOf(situation);
  if (run.request.mode === "Plan") {
    // Whoever asks for a dry run wants to see the conflicts; a sync that is declared to plan shows them as its error.
    if (!run.request.isBeside) requireChanges(result, source);
    await recordPlan(run, headsOf(situation), describePlan(result, source));
    return "skipped";
  }
  const planned = requireChanges(result, source);
  if (planned.changes.size === 0 && isAtHand(situation, base)) {
    await recordUnchanged(run, headsOf(situation), true);
    return "skipped";
  }
  await recordBegin(run);
  await executeImport(run, { situation, source, target, planned });
  return planned.changes.size === 0 ? "skipped" : "success";
}

function isCode(error: unknown, code: CoregitError["code"]): boolean {
  return error instanceof CoregitError && error.code === code;
}
