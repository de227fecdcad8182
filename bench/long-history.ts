// The repository that the benches of history read: many small commits in a row, made by fast-import.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createSourceRepository, type SourceRepository } from "../test/support/source-repository.ts";

const FOLDERS = 10;
const FILES = 200;

function commitOf(index: number): string {
  const file = (index * 97) % FILES;
  const text = `line of commit ${index}\n`.repeat(5);
  const message = `Change ${index}\n`;
  return [
    "commit refs/heads/main",
    `committer Ada <ada@example.com> ${1_500_000_000 + index * 60} +0000`,
    `data ${message.length}\n${message}`,
    `M 100644 inline area-${file % FOLDERS}/file-${file}.txt`,
    `data ${text.length}\n${text}\n`,
  ].join("\n");
}

/** A bare repository whose `main` has so many commits, each of which changes one file, in one pack. */
export async function createLongHistory(commits: number): Promise<SourceRepository> {
  const repository = await createSourceRepository();
  const child = spawn("git", ["-C", repository.path, "fast-import", "--quiet", "--date-format=raw"], {
    stdio: ["pipe", "ignore", "inherit"],
  });
  const closed = once(child, "close");
  for (let index = 0; index < commits; index += 1) {
    if (!child.stdin.write(commitOf(index))) await once(child.stdin, "drain");
  }
  child.stdin.end();
  await closed;
  await repository.git("repack", "-adq");
  return repository;
}
