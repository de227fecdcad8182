// The repository that the benches read: 20,000 files of about 4 KiB in 400 folders, made by fast-import with a fixed seed.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createSourceRepository, type SourceRepository } from "../test/support/source-repository.ts";

const FOLDERS = 400;
const WORDS =
  "tree blob commit remote ref pack plan sync import export fetch lease epoch claim publish reflog quarantine view index delta".split(
    " ",
  );

/** A small, fixed generator (Park and Miller, 1988): the same bytes in each run and on each machine. */
function* numbers(seed: number): Generator<number, never> {
  let state = seed;
  for (;;) {
    state = (state * 48_271) % 2_147_483_647;
    yield state;
  }
}

function textOf(random: Iterator<number, never>, bytes: number): string {
  const parts: string[] = [];
  for (let length = 0; length < bytes; ) {
    const number = random.next().value;
    const word = `${WORDS[number % WORDS.length]}${number % 9 === 0 ? `-${number.toString(36)}\n` : " "}`;
    parts.push(word);
    length += word.length;
  }
  return parts.join("");
}

export function largePath(index: number): string {
  const folder = index % FOLDERS;
  return `area-${String(folder % 20).padStart(2, "0")}/part-${String(folder).padStart(3, "0")}/file-${String(index).padStart(5, "0")}.txt`;
}

function commitHeader(index: number): string {
  return `commit refs/heads/main\ncommitter Ada <ada@example.com> ${1_700_000_000 + index * 60} +0000\ndata 5\nLarge\n`;
}

function fileChange(random: Iterator<number, never>, index: number): string {
  const text = textOf(random, 1_000 + (random.next().value % 6_000));
  return `M 100644 inline ${largePath(index)}\ndata ${text.length}\n${text}\n`;
}

/** The first commit has all files, each later one changes three. */
function* history(files: number, commits: number): Generator<string> {
  const random = numbers(20_261_122);
  yield commitHeader(0);
  for (let index = 0; index < files; index += 1) yield fileChange(random, index);
  for (let commit = 1; commit < commits; commit += 1) {
    yield commitHeader(commit);
    for (let change = 0; change < 3; change += 1) yield fileChange(random, random.next().value % files);
  }
}

/** A bare repository whose `main` has so many files and commits. */
export async function createLargeRepository(files = 20_000, commits = 1): Promise<SourceRepository> {
  const repository = await createSourceRepository();
  const child = spawn("git", ["-C", repository.path, "fast-import", "--quiet", "--date-format=raw"], {
    stdio: ["pipe", "ignore", "inherit"],
  });
  const closed = once(child, "close");
  for (const part of history(files, commits)) {
    if (!child.stdin.write(part)) await once(child.stdin, "drain");
  }
  child.stdin.end();
  await closed;
  // As a server keeps it: one pack with deltas and a bitmap.
  await repository.git("repack", "-adq", "--write-bitmap-index");
  return repository;
}
