// `npm test`: static checks, then every test project, then one closing line that counts. Arguments go to vitest.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

type Report = {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly success: boolean;
};

const root = join(import.meta.dirname, "..");
const scratch = mkdtempSync(join(tmpdir(), "coregit-test-"));
const reportFile = join(scratch, "report.json");

function run(args: readonly string[]): number {
  return spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" }).status ?? 1;
}

function readReport(): Report | null {
  try {
    return JSON.parse(readFileSync(reportFile, "utf8")) as Report;
  } catch {
    return null;
  }
}

const verified = run(["scripts/verify.ts"]);
const tested = run([
  "node_modules/vitest/vitest.mjs",
  "run",
  "--reporter=default",
  "--reporter=json",
  `--outputFile.json=${reportFile}`,
  ...process.argv.slice(2),
]);
const report = readReport();
rmSync(scratch, { recursive: true, force: true });

const passed = report?.numPassedTests ?? 0;
const skipped = report?.numPendingTests ?? 0;
// A check that failed, a suite that could not be collected, and a run that ended early each count as one failure.
const failed =
  (report?.numFailedTests ?? 0) + (verified === 0 ? 0 : 1) + (tested !== 0 && (report?.numFailedTests ?? 0) === 0 ? 1 : 0);
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
