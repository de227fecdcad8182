// How fast due syncs are claimed from a large table, in batches as the engine does and one by one. Claims are ended before the next,
// as a worker holds few at a time.
import type { Database } from "../src/db/database.ts";
import { claimDueSyncs } from "../src/db/sync-leases.ts";
import { QUIET_SPEC } from "../test/support/quiet-spec.ts";
import { openDatabaseStack } from "./engine-stack.ts";
import { type BenchRow, timed } from "./measure.ts";

const ROWS = 200_000;
const CLAIMED = 4_000;
const BATCHES = [1, 20] as const;

export async function benchClaims(): Promise<readonly BenchRow[]> {
  await using stack = await openDatabaseStack();
  await insertSyncs(stack.database);
  const rows: BenchRow[] = [];
  for (const limit of BATCHES) {
    const ms = await claimMany(stack.database, limit);
    const perSecond = Math.round(CLAIMED / (ms / 1000));
    rows.push({
      bench: "claims",
      what: `${ROWS} due rows, batches of ${limit}`,
      result: `${perSecond}/s`,
      limit: "",
      isWithin: null,
      figures: { perSecond },
    });
  }
  return rows;
}

/** Milliseconds of the claims alone. */
async function claimMany(database: Database, limit: number): Promise<number> {
  let ms = 0;
  for (let claimed = 0; claimed < CLAIMED; claimed += limit) {
    const claim = async (): Promise<void> => {
      const { claims } = await claimDueSyncs(database, { owner: "bench", limit, leaseMs: 600_000 });
      if (claims.length !== limit) throw new Error("fewer were claimed than are due");
    };
    ms += await timed(claim);
    await database.query("UPDATE syncs SET lease_owner = NULL, lease_until = NULL WHERE lease_owner IS NOT NULL");
  }
  return ms;
}

async function insertSyncs(database: Database): Promise<void> {
  await database.query("INSERT INTO repositories (id, namespace, slug) VALUES ('r', 'default', 'r')");
  await database.query(
    `INSERT INTO syncs (id, namespace, name, repository_id, owner_kind, spec, next_run_at)
     SELECT 's' || n, 'default', 's' || n, 'r', 'file', $2, now() - interval '1 hour' + n * interval '1 millisecond'
     FROM generate_series(0, $1::int - 1) AS n`,
    [ROWS, JSON.stringify(QUIET_SPEC)],
  );
  await database.query("ANALYZE syncs");
}
