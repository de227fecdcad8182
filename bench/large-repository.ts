// The repository that the import benches read: 20,000 files of about 4 KiB in 400 folders, made by fast-import with a fixed seed.
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

/** A bare repository whose `main` has one commit of `files` files. */
export async function createLargeRepository(files = 20_000): Promise<SourceRepository> {
  const repository = await createSourceRepository();
  const child = spawn("git", ["-C", repository.path, "fast-import", "--quiet", "--date-format=raw"], {
    stdio: ["pipe", "ignore", "inherit"],
  });
  const closed = once(child, "close");
  const random = numbers(20_261_122);
  child.stdin.write("commit refs/heads/main\ncommitter Ada <ada@example.com> 1700000000 +0000\ndata 5\nLarge\n");
  for (let index = 0; index < files; index += 1) {
    const text = textOf(random, 1_000 + (random.next().value % 6_000));
    const change = `M 100644 inline ${largePath(index)}\ndata ${text.length}\n${text}\n`;
    if (!child.stdin.write(change)) await once(child.stdin, "drain");
  }
  child.stdin.end();
  await closed;
  // As a server keeps it: one pack with deltas and a bitmap.
  await repository.git("repack", "-adq", "--write-bitmap-index");
  return repository;
}
