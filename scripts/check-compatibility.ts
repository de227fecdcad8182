// Says what would break for those who run the last release, and exits 1: fields of CRDs, migrations that databases have, and
// migrations that the last release does not survive. `--record` makes the present state the one to compare with, which is a step
// of making a release.
import { cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readMigrations } from "../src/db/migration-files.ts";
import { contractingStatements } from "./compatibility/contracting-statements.ts";
import { breakingChanges } from "./compatibility/crd-changes.ts";
import { CRDS, RELEASED, RELEASED_MIGRATIONS, readCrds, readReleasedMigrations } from "./compatibility/last-release.ts";

const migrations = await readMigrations();

function record(): void {
  const folder = join(RELEASED, "crds");
  rmSync(folder, { recursive: true, force: true });
  cpSync(CRDS, folder, { recursive: true });
  const checksums = Object.fromEntries(migrations.map(({ name, checksum }) => [name, checksum]));
  writeFileSync(RELEASED_MIGRATIONS, `${JSON.stringify(checksums, null, 2)}\n`);
}

function crdProblems(): string[] {
  const present = readCrds(CRDS);
  return [...readCrds(join(RELEASED, "crds"))].flatMap(([name, before]) => {
    const after = present.get(name);
    const changes = after === undefined ? ["removed"] : breakingChanges(before, after);
    return changes.map((change) => `${name}: ${change}`);
  });
}

/** A database has applied what was released: neither its text nor its place may change any more. */
function migrationProblems(): string[] {
  const released = Object.entries(readReleasedMigrations());
  const changed = released.filter(([name, checksum], index) => {
    const present = migrations[index];
    return present === undefined || present.name !== name || present.checksum !== checksum;
  });
  const contracting = migrations.slice(released.length).flatMap(({ name, sql, needs }) => {
    const statements = needs === 0 ? contractingStatements(sql) : [];
    return statements.map((what) => `${name}: ${what}, so it needs a line "-- needs: NNNN"`);
  });
  // A release may contract only what the one before it has stopped using.
  const early = migrations.slice(released.length).filter(({ needs }) => needs > released.length);
  return [
    ...changed.map(([name]) => `${name}: was released, and is not what it was`),
    ...contracting,
    ...early.map(({ name, needs }) => `${name}: needs migration ${needs}, which the last release does not have`),
  ];
}

if (process.argv.includes("--record")) record();
const problems = [...crdProblems(), ...migrationProblems()];
for (const problem of problems) console.log(problem);
if (problems.length > 0) process.exitCode = 1;
