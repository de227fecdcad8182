// Packs made by native git from what a repository has, in files. One thread and bounded windows, so that the limit of
// memory holds whatever the objects are; deltas that are there already are taken over.
import { join } from "node:path";
import { feed } from "./feed.ts";
import { type GitCommand, gitFailure, runGit, startGit } from "./git-process.ts";

/** A pack and its index in files. */
export type PackFiles = { readonly pack: string; readonly idx: string };

/** Packing five million objects takes git some minutes on one thread. */
const DEADLINE_MS = 60 * 60_000;

/**
 * Objects from 16 MB on are copied as they are instead of being held for comparison; mapped packs and comparisons take a
 * fraction of what a git process may use.
 */
const SETTINGS = [
  "core.bigFileThreshold=16m",
  "core.packedGitWindowSize=16m",
  "core.packedGitLimit=256m",
  "pack.windowMemory=128m",
  "pack.deltaCacheSize=64m",
];

export type PackingPlace = {
  /** A repository that has the objects. */
  readonly gitDir: string;
  /** Where the pack goes. */
  readonly folder: string;
  readonly memoryBytes: number;
  readonly signal: AbortSignal;
};

/** One pack of `oids`, in their order, without looking for new deltas. @throws CoregitError `Internal`, `Timeout`. */
export async function packOids(oids: Iterable<string>, place: PackingPlace): Promise<PackFiles> {
  return await packObjects(["--window=0"], oids, place);
}

/**
 * One pack of all objects of the packs that are named, reachable or not. git takes it that whoever made a pack has tried to
 * make deltas between its objects: it looks for them between packs only, unless `deltas` are to be new.
 * @throws CoregitError `Internal`, `Timeout`.
 */
export async function joinPacks(names: Iterable<string>, deltas: "kept" | "new", place: PackingPlace): Promise<PackFiles> {
  const files = Iterator.from(names).map((name) => `pack-${name}.pack`);
  const reuse = deltas === "new" ? ["--no-reuse-delta"] : [];
  return await packObjects(["--stdin-packs", "--delta-base-offset", ...reuse], files, { ...place, isBackground: true });
}

/**
 * One pack of `oids` as it is made, without looking for new deltas. Stopping the iteration ends git.
 * @throws CoregitError `Internal`, `Timeout`.
 */
export async function* streamPack(
  oids: Iterable<string>,
  { signal, ...place }: Omit<PackingPlace, "folder">,
): AsyncGenerator<Uint8Array> {
  const args = ["pack-objects", "--quiet", "--threads=1", "--window=0", "--stdout"];
  const command: GitCommand = { args, settings: SETTINGS, ...place, signal, deadlineMs: DEADLINE_MS };
  await using git = startGit(command);
  const fed = feed(git, linesOf(oids));
  yield* git.stdout;
  await fed;
  const exit = await git.exited;
  signal.throwIfAborted();
  if (exit.code !== 0) throw gitFailure(command, exit);
}

const LINES_AT_ONCE = 1024;

async function* linesOf(oids: Iterable<string>): AsyncGenerator<Uint8Array> {
  let lines: string[] = [];
  for (const oid of oids) {
    lines.push(`${oid}\n`);
    if (lines.length < LINES_AT_ONCE) continue;
    yield Buffer.from(lines.join(""), "latin1");
    lines = [];
  }
  yield Buffer.from(lines.join(""), "latin1");
}

async function packObjects(
  options: readonly string[],
  lines: Iterable<string>,
  { folder, ...place }: PackingPlace & Pick<GitCommand, "isBackground">,
): Promise<PackFiles> {
  const base = join(folder, "made");
  const args = ["pack-objects", "--quiet", "--threads=1", ...options, base];
  const command: GitCommand = { args, settings: SETTINGS, ...place, deadlineMs: DEADLINE_MS };
  const input = Array.from(lines, (line) => `${line}\n`).join("");
  const { stdout, exit } = await runGit(command, { input, maxOutputBytes: 1_024 });
  const name = stdout.toString("latin1").trim();
  if (exit.code !== 0 || !/^[0-9a-f]{40}$/.test(name)) throw gitFailure(command, exit);
  return { pack: `${base}-${name}.pack`, idx: `${base}-${name}.idx` };
}
