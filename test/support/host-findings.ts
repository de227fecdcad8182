// Compares what a git host acknowledged with what it has: in the history of branches, in the reflog, in its rows.

import type { Database } from "../../src/db/database.ts";
import { listOids } from "../../src/git/pack-index.ts";
import type { CommitOperation, MoveOperation, OperationLog } from "./acknowledged-operations.ts";
import { git } from "./git.ts";

/** Sentences on what is wrong, by kind; all empty when nothing is. */
export type Findings = Readonly<Record<"lost" | "doubled" | "torn" | "broken", string[]>>;

/** Of the operations that were cut off: how many are there all the same. */
export type Checked = { readonly findings: Findings; readonly cutOffPresent: number };

type Checker = {
  readonly database: Database;
  readonly repositoryId: string;
  /** A mirror of the repository. */
  readonly mirror: string;
  readonly log: OperationLog;
  /** The index of a pack that is not in its row. */
  readIndex(packId: string): Promise<Buffer>;
};

type ReflogRow = { readonly ref: string; readonly old: string | null; readonly next: string | null };

export async function checkHost(checker: Checker): Promise<Checked> {
  const findings: Findings = { lost: [], doubled: [], torn: [], broken: [] };
  const { database, repositoryId, log } = checker;
  const { rows: reflog } = await database.query<ReflogRow>(
    "SELECT ref, old_oid AS old, new_oid AS next FROM reflog WHERE repository_id = $1 ORDER BY id",
    [repositoryId],
  );
  let cutOffPresent = 0;
  for (const branch of new Set(log.commits.map((operation) => operation.branch))) {
    const made = await readHistory(checker.mirror, branch);
    cutOffPresent += checkCommits(
      log.commits.filter((operation) => operation.branch === branch),
      made,
      findings,
    );
  }
  for (const operation of log.moves) cutOffPresent += checkMoves(operation, reflog, findings);
  checkLines(reflog, await readRefs(checker), findings);
  await checkPacks(checker, reflog, findings);
  return { findings, cutOffPresent };
}

type MadeCommit = {
  readonly oid: string;
  readonly parents: string;
  readonly id: string;
  readonly files: ReadonlyMap<string, string>;
};

/** All commits of a branch with the files that each changed. None when there is no such branch. */
async function readHistory(mirror: string, branch: string): Promise<MadeCommit[]> {
  const known = await git(["-C", mirror, "for-each-ref", `refs/heads/${branch}`]);
  if (known === "") return [];
  const format = "--format=%x01%H%x02%P%x02%s";
  const text = await git(["-C", mirror, "log", "--raw", "-r", "--no-abbrev", "--no-renames", format, `refs/heads/${branch}`]);
  return text
    .split("\x01")
    .slice(1)
    .map((entry) => {
      const [head = "", ...lines] = entry.split("\n");
      const [oid = "", parents = "", id = ""] = head.split("\x02");
      return { oid, parents, id, files: new Map(lines.flatMap(changedFile)) };
    });
}

/** `:100644 100644 <old> <new> M\tpath` */
function changedFile(line: string): [string, string][] {
  const [, oid, path] = /^:\d+ \d+ [0-9a-f]{40} ([0-9a-f]{40}) [AM]\t(.+)$/.exec(line) ?? [];
  return oid === undefined || path === undefined ? [] : [[path, oid]];
}

/** Gives how many of the operations that were cut off are there. */
function checkCommits(operations: readonly CommitOperation[], made: readonly MadeCommit[], findings: Findings): number {
  const byId = Map.groupBy(made, ({ id }) => id);
  const asked = new Set(operations.map(({ id }) => id));
  const foreign = [...byId.keys()].filter((id) => !asked.has(id));
  findings.broken.push(...foreign.map((id) => `commit ${id} was refused or never asked for`));
  const present = operations.filter((operation) => checkCommit(operation, byId.get(operation.id) ?? [], findings));
  return present.filter(({ sha }) => sha === null).length;
}

/** Whether it is there. */
function checkCommit(operation: CommitOperation, [commit, ...more]: readonly MadeCommit[], findings: Findings): boolean {
  const { id, sha } = operation;
  if (more.length > 0) findings.doubled.push(`commit ${id} is there ${more.length + 1} times`);
  if (commit === undefined && sha !== null) findings.lost.push(`commit ${id} (${sha})`);
  if (commit !== undefined) findings.torn.push(...tornParts(operation, commit));
  return commit !== undefined;
}

function tornParts({ id, sha, parent, files }: CommitOperation, commit: MadeCommit): string[] {
  const sameFiles = files.size === commit.files.size && [...files].every(([path, oid]) => commit.files.get(path) === oid);
  return [
    ...(sha === null || sha === commit.oid ? [] : [`commit ${id} is ${commit.oid}, and ${sha} was acknowledged`]),
    ...(sameFiles ? [] : [`commit ${id} changes other files than were asked for`]),
    ...(typeof parent !== "string" || parent === commit.parents ? [] : [`commit ${id} is on top of ${commit.parents}`]),
  ];
}

/** Gives 1 when the operation was cut off and is there. */
function checkMoves(
  { id, isAtomic, moves, isAcknowledged }: MoveOperation,
  reflog: readonly ReflogRow[],
  findings: Findings,
): number {
  const counts = moves.map(
    ({ ref, old, next }) =>
      reflog.filter((row) => row.ref === ref && row.next === next && (next !== null || row.old === old)).length,
  );
  if (counts.some((count) => count > 1)) findings.doubled.push(`${id} moved a ref more than once`);
  const done = counts.filter((count) => count > 0).length;
  if (isAcknowledged && done < moves.length) findings.lost.push(`${id} moved ${done} of ${moves.length} refs`);
  if (isAtomic && done > 0 && done < moves.length) findings.torn.push(`${id} moved ${done} of ${moves.length} refs`);
  return !isAcknowledged && done > 0 ? 1 : 0;
}

/** Each ref's reflog is one line from nothing to what the ref is. */
function checkLines(reflog: readonly ReflogRow[], refs: ReadonlyMap<string, string>, findings: Findings): void {
  const ends = new Map<string, string | null>();
  for (const { ref, old, next } of reflog) {
    const before = ends.get(ref) ?? null;
    if (before !== old) findings.broken.push(`the reflog of ${ref} goes from ${before} on with ${old}`);
    ends.set(ref, next);
  }
  const names = new Set([...ends.keys(), ...refs.keys()]);
  const strayed = [...names].filter((ref) => (ends.get(ref) ?? null) !== (refs.get(ref) ?? null));
  findings.broken.push(...strayed.map((ref) => `${ref} is at ${refs.get(ref)}, its reflog ends at ${ends.get(ref)}`));
}

/** The rows' refs, which the mirror must have too. */
async function readRefs({ database, repositoryId, mirror }: Checker): Promise<Map<string, string>> {
  const sql = "SELECT name, oid FROM refs WHERE repository_id = $1 ORDER BY name";
  const { rows } = await database.query<{ name: string; oid: string }>(sql, [repositoryId]);
  const cloned = await git(["-C", mirror, "for-each-ref", "--format=%(refname) %(objectname)"]);
  const stored = rows.map(({ name, oid }) => `${name} ${oid}`);
  if (cloned.split("\n").sort().join() !== stored.sort().join()) throw new Error("A clone has other refs than the database.");
  return new Map(rows.map(({ name, oid }) => [name, oid]));
}

type PackRow = { readonly id: string; readonly idx: Buffer | null };

/** Each pack has the tip of a move, or what such a tip leads to: none is there that no publication explains. */
async function checkPacks(
  { database, repositoryId, mirror, readIndex }: Checker,
  reflog: readonly ReflogRow[],
  findings: Findings,
) {
  const explained = new Set(reflog.flatMap(({ next }) => next ?? []));
  for (const line of (await git(["-C", mirror, "rev-list", "--objects", "--all"])).split("\n")) explained.add(line.slice(0, 40));
  const sql = "SELECT id, idx_bytes AS idx FROM packs WHERE repository_id = $1 AND retired_at IS NULL";
  const { rows } = await database.query<PackRow>(sql, [repositoryId]);
  for (const { id, idx } of rows) {
    const oids = listOids(idx ?? (await readIndex(id)));
    if (!oids.some((oid) => explained.has(oid))) findings.broken.push(`pack ${id} belongs to nothing`);
  }
}
