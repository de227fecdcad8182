// `npm test`: static checks, then every test project, then a scan of all that the run said for its secrets, then one closing line that
// counts. Arguments go to vitest. What the tests leave behind in their temporary folder fails the run, too.
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EVIDENCE_VARIABLE, keepSaid } from "../test/support/secrets/evidence.ts";
import { scanEvidence } from "../test/support/secrets/scan.ts";

type Report = {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly success: boolean;
};

const root = join(import.meta.dirname, "..");
const scratch = mkdtempSync(join(tmpdir(), "coregit-test-"));
const reportFile = join(scratch, "report.json");
const evidence = join(scratch, "evidence");
const temporary = join(scratch, "tmp");
mkdirSync(evidence, { mode: 0o700 });
mkdirSync(temporary);
// Some programs of the tests run as another user, below the temporary folder.
for (const folder of [scratch, temporary]) chmodSync(folder, 0o711);
process.env[EVIDENCE_VARIABLE] = evidence;

function verify(): boolean {
  return spawnSync(process.execPath, ["scripts/verify.ts"], { cwd: root, stdio: "inherit" }).status === 0;
}

/** Shows what vitest prints, and keeps it for the scan. */
async function runTests(args: readonly string[]): Promise<boolean> {
  const colours = process.stdout.isTTY ? { FORCE_COLOR: "1" } : {};
  const env = { ...process.env, ...colours, TMPDIR: temporary };
  const child = spawn(process.execPath, args, { cwd: root, stdio: ["inherit", "pipe", "pipe"], env });
  // Ctrl-C ends vitest by itself; what it leaves is removed here.
  process.on("SIGINT", () => undefined);
  const printed: Buffer[] = [];
  for (const [from, to] of [
    [child.stdout, process.stdout],
    [child.stderr, process.stderr],
  ] as const) {
    from.pipe(to, { end: false });
    from.on("data", (chunk: Buffer) => printed.push(chunk));
  }
  const code = await new Promise((resolve) => child.once("close", resolve));
  keepSaid("what the test run printed", Buffer.concat(printed).toString());
  return code === 0;
}

function readReport(): Report | null {
  try {
    return JSON.parse(readFileSync(reportFile, "utf8")) as Report;
  } catch {
    return null;
  }
}

function hasNoSecrets(): boolean {
  const { leaks, secrets, statements, bytes } = scanEvidence(evidence);
  for (const leak of leaks) console.log(`     ${leak}`);
  const scanned = `${secrets} secrets, looked for in ${statements} texts of ${Math.ceil(bytes / 1e6)} MB`;
  console.log(`${leaks.length === 0 ? "ok  " : "FAIL"} nothing says a secret (${scanned})`);
  return leaks.length === 0;
}

function hasNoLeftovers(): boolean {
  const left = readdirSync(temporary);
  console.log(`${left.length === 0 ? "ok  " : "FAIL"} no temporary folder is left ${left.join(" ")}`);
  return left.length === 0;
}

const isVerified = verify();
const isTested = await runTests([
  "node_modules/vitest/vitest.mjs",
  "run",
  "--reporter=default",
  "--reporter=json",
  `--outputFile.json=${reportFile}`,
  ...process.argv.slice(2),
]);
const checks = [isVerified, hasNoSecrets(), hasNoLeftovers()];
const report = readReport();
rmSync(scratch, { recursive: true, force: true });

const passed = report?.numPassedTests ?? 0;
const skipped = report?.numPendingTests ?? 0;
const failedTests = report?.numFailedTests ?? 0;
// A check that failed, a suite that could not be collected, and a run that ended early each count as one failure.
const failed = failedTests + checks.filter((isGood) => !isGood).length + (!isTested && failedTests === 0 ? 1 : 0);
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
