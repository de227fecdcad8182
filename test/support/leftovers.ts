// vitest's setup of every test file: one that leaves a server, a socket, a process, a timer or a temporary folder behind fails.
// What runs when the file begins, the runner's own, is the measure. Each file has a temporary folder of its own, so that what is left
// is this file's. Not seen: what does not keep a process alive (idle connections of fetch, timers without a reference).
import { chmodSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll } from "vitest";
import { commandsNaming } from "./running-commands.ts";

/** How long what was closed may take to be gone: an ended process to be reaped, a socket to be closed by its other side. */
const GRACE_MS = 10_000;
const POLL_MS = 20;

const parent = tmpdir();
const folder = mkdtempSync(join(parent, "coregit-file-"));
// Servers that refuse to be root's run as another user below it.
chmodSync(folder, 0o711);
process.env.TMPDIR = folder;
// npm keeps compiled code of its own in the temporary folder.
process.env.NODE_DISABLE_COMPILE_CACHE = "1";

let atFirst: ReadonlyMap<string, number> = new Map();
beforeAll(() => {
  // The timer by which the runner reports comes and goes within a tenth of a second: no measure for those of a file.
  atFirst = new Map([...countResources()].filter(([name]) => name !== "Timeout"));
});

afterAll(async () => {
  const deadlineMs = performance.now() + GRACE_MS;
  let left = await leftBehind();
  while (left.length > 0 && performance.now() < deadlineMs) {
    await pause(POLL_MS);
    left = await leftBehind();
  }
  process.env.TMPDIR = parent;
  rmSync(folder, { recursive: true, force: true });
  if (left.length > 0) throw new Error(`The file left behind: ${left.join(", ")}`);
});

async function leftBehind(): Promise<readonly string[]> {
  const more = [...countResources()].map(([name, count]) => [name, count - (atFirst.get(name) ?? 0)] as const);
  return [
    ...more.filter(([, count]) => count > 0).map(([name, count]) => `${count} ${name}`),
    ...(await commandsNaming(folder)).map((command) => `the process ${command.replaceAll("\0", " ").slice(0, 120)}`),
    ...readdirSync(folder).map((name) => `the temporary ${name}`),
  ];
}

/** What keeps this process alive, by its kind in Node. */
function countResources(): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of process.getActiveResourcesInfo()) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
