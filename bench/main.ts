// `npm run bench -- [name…]`: runs the named benches, or all, prints a table and writes bench/results/<name>.json.
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { benchApiFaults } from "./api-faults.ts";
import { benchApiHistory } from "./api-history.ts";
import { benchClaims } from "./claims.ts";
import { benchCommitApi, benchCommitDeep, benchCommitHot, benchCommitThousand } from "./commit.ts";
import { benchCloneHttp, benchPushHttp } from "./git-http.ts";
import { benchCloneBesideCommits, benchGitMemory } from "./git-load.ts";
import { benchImport } from "./import.ts";
import { benchLeaderLost } from "./leader-lost.ts";
import { benchLogTwenty } from "./log-20.ts";
import type { BenchRow } from "./measure.ts";
import { benchPlanLarge } from "./plan-large.ts";
import { benchGitHubExport, benchGitLabExport } from "./provider-export.ts";
import { benchPushToExport } from "./push-to-export.ts";
import { benchScaleFirst } from "./scale-first.ts";
import { benchScaleIdle } from "./scale-idle.ts";
import { benchSoak } from "./soak.ts";
import { benchStandaloneIdle } from "./standalone-idle.ts";
import { benchWebhookStorm } from "./webhook-storm.ts";
import { benchWebhookToCommit } from "./webhooks.ts";

const BENCHES: Readonly<Record<string, () => Promise<readonly BenchRow[]>>> = {
  "api-faults": benchApiFaults,
  "api-history": benchApiHistory,
  claims: benchClaims,
  "clone-beside-commits": benchCloneBesideCommits,
  "clone-http": benchCloneHttp,
  "commit-api": benchCommitApi,
  "commit-hot": benchCommitHot,
  "commit-1000": benchCommitThousand,
  "commit-deep": benchCommitDeep,
  "git-memory": benchGitMemory,
  "github-export": benchGitHubExport,
  "gitlab-export": benchGitLabExport,
  import: benchImport,
  "leader-lost": benchLeaderLost,
  "log-20": benchLogTwenty,
  "plan-large": benchPlanLarge,
  "push-http": benchPushHttp,
  "push-to-export": benchPushToExport,
  "scale-first": benchScaleFirst,
  "scale-idle": benchScaleIdle,
  soak: benchSoak,
  "standalone-idle": benchStandaloneIdle,
  "webhook-storm": benchWebhookStorm,
  "webhook-to-commit": benchWebhookToCommit,
};

const HEADERS = ["BENCH", "WHAT", "RESULT", "LIMIT", ""];

function printTable(rows: readonly BenchRow[]): void {
  const verdict = { true: "ok", false: "OVER", null: "" };
  const cells = rows.map((row) => [row.bench, row.what, row.result, row.limit, verdict[`${row.isWithin}`]]);
  const widths = HEADERS.map((header, column) => Math.max(header.length, ...cells.map((row) => (row[column] ?? "").length)));
  for (const row of [HEADERS, ...cells])
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    );
}

function writeResult(name: string, rows: readonly BenchRow[]): void {
  const folder = join(import.meta.dirname, "results");
  mkdirSync(folder, { recursive: true });
  const machine = { cores: cpus().length, memoryBytes: totalmem(), node: process.version };
  writeFileSync(
    join(folder, `${name}.json`),
    `${JSON.stringify({ name, at: new Date().toISOString(), machine, rows }, null, 2)}\n`,
  );
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in BENCHES));
if (unknown.length > 0) {
  console.error(`No such bench: ${unknown.join(", ")}. There are: ${Object.keys(BENCHES).join(", ")}.`);
  process.exit(2);
}
const all: BenchRow[] = [];
for (const [name, bench] of Object.entries(BENCHES)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  console.log(`… ${name}`);
  const rows = await bench();
  writeResult(name, rows);
  all.push(...rows);
}
printTable(all);
