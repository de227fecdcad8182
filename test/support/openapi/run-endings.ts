// Ends the runs that somebody waits for, as an engine does, in whatever way is asked for.
import { notify } from "../../../src/db/notify.ts";
import { writeEndedRun } from "../../../src/db/runs.ts";
import { listOpenTriggers, settleTriggers } from "../../../src/db/triggers.ts";
import type { ErrorCode } from "../../../src/domain/errors.ts";
import type { HttpWorld } from "../http-world.ts";
import { until } from "../until.ts";

/** Ends the run that the sync's triggers ask for; `code` null: with success. */
export async function endRun({ world }: HttpWorld, syncId: string, code: ErrorCode | null): Promise<void> {
  const { database } = world;
  await until("somebody waits for a run", async () => (await listOpenTriggers(database, syncId)).length > 0);
  const triggers = await listOpenTriggers(database, syncId);
  const runId = triggers[0]?.runId ?? "";
  const { id: repositoryId } = await world.repository("stage");
  const start = { id: runId, syncId, repositoryId, epoch: 1, direction: "import", elapsedMs: 5, traceId: null } as const;
  const end = { code, message: "Ended by a test.", details: null, branch: "main", remoteSha: null, commitSha: null, plan: null };
  const counts = { added: 0, modified: 0, deleted: 0, remoteCalls: 1, receivedBytes: 0 };
  await writeEndedRun(database, start, { status: code === null ? "success" : "error", ...end, ...counts });
  await settleTriggers(
    database,
    triggers.map(({ id }) => id),
  );
  await notify(database, "runEnded", [syncId]);
}
