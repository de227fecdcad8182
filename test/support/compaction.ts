// Many small packs, and what became of them.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Database } from "../../src/db/database.ts";
import type { Oid } from "../../src/domain/oid.ts";
import type { LocalRepositoryStore } from "../../src/repositories/open-repository-store.ts";
import type { Repository } from "../../src/repositories/store.ts";
import { publishSmallCommit } from "./git-store.ts";

/** Puts `count` commits on a branch, each a pack of three objects; gives all of them, oldest first. */
export async function publishCommits(
  store: LocalRepositoryStore,
  repository: Repository,
  {
    count,
    onto = [],
    ref = "refs/heads/main",
  }: { readonly count: number; readonly onto?: readonly Oid[]; readonly ref?: string },
): Promise<Oid[]> {
  const made = [...onto];
  for (let index = 0; index < count; index += 1) {
    const text = `${ref} ${made.length}`;
    made.push(await publishSmallCommit(store, repository, { text, expected: made.at(-1) ?? null, ref }));
  }
  return made;
}

export type PackSummary = { readonly live: number; readonly retired: number; readonly compact: number };

export async function summarizePacks(database: Database): Promise<PackSummary> {
  const { rows } = await database.query<PackSummary>(
    `SELECT count(*) FILTER (WHERE retired_at IS NULL)::int AS live, count(retired_at)::int AS retired,
       count(*) FILTER (WHERE source = 'compact' AND retired_at IS NULL)::int AS compact FROM packs`,
  );
  return rows[0] ?? { live: 0, retired: 0, compact: 0 };
}

/** Lets retired packs look as if they had been retired so many seconds earlier. */
export async function ageRetired(database: Database, seconds: number): Promise<void> {
  await database.query("UPDATE packs SET retired_at = retired_at - $1 * interval '1 second' WHERE retired_at IS NOT NULL", [
    seconds,
  ]);
}

/** How many packs a local view has on disk. */
export async function countPlaced(cacheDir: string, repository: Repository): Promise<number> {
  const files = await readdir(join(cacheDir, "views", repository.id, "objects", "pack"));
  return files.filter((file) => file.endsWith(".idx")).length;
}
