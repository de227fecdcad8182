// The files that make a directory a bare repository for native git. Everything is written beside its place and renamed
// into it, so that another process sees the old file or the new one.
import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, rename, rm, rmdir, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Oid } from "../domain/oid.ts";

const CONFIG = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n";
/** Enough for the first line of packed-refs as it is written here. */
const FIRST_LINE_BYTES = 128;

/** Makes what is missing of an empty bare repository. Safe to repeat and to race. */
export async function makeBareDirectory(directory: string): Promise<void> {
  await mkdir(join(directory, "objects", "pack"), { recursive: true });
  const writeNew = (name: string, content: string) =>
    writeFile(join(directory, name), content, { flag: "wx" }).catch(ignoreExisting);
  await Promise.all([
    mkdir(join(directory, "objects", "info"), { recursive: true }),
    mkdir(join(directory, "refs"), { recursive: true }),
    writeNew("config", CONFIG),
    writeNew("HEAD", "ref: refs/heads/main\n"),
  ]);
}

/**
 * Removes a directory made by `makeBareDirectory` with whatever is in it. What it usually holds is taken away by name, many at
 * once: to look into each folder first takes several times as long.
 */
export async function removeBareDirectory(directory: string): Promise<void> {
  const inside = (...names: readonly string[]) => join(directory, ...names);
  try {
    const packs = await readdir(inside("objects", "pack"));
    const files = [
      "config",
      "HEAD",
      join("objects", "info", "alternates"),
      ...packs.map((name) => join("objects", "pack", name)),
    ];
    await Promise.all([rmdir(inside("refs")), ...files.map((name) => unlink(inside(name)))]);
    await Promise.all([rmdir(inside("objects", "pack")), rmdir(inside("objects", "info"))]);
    await rmdir(inside("objects"));
    await rmdir(directory);
  } catch {
    await rm(directory, { recursive: true, force: true });
  }
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== "EEXIST") throw error;
}

export type RefSnapshot = {
  /** The repository's version that the refs are at least as new as. */
  readonly version: bigint;
  /** In order of their names' bytes. */
  readonly refs: ReadonlyMap<string, Oid>;
};

/** Replaces all refs at once. The version stands among the traits of the first line, where git passes over what it does not know. */
export async function writeRefs(directory: string, { version, refs }: RefSnapshot): Promise<void> {
  const lines = [`# pack-refs with: sorted coregit-version=${version} `, ...[...refs].map(([name, oid]) => `${oid} ${name}`)];
  await replaceFile(join(directory, "packed-refs"), `${lines.join("\n")}\n`);
}

export async function writeHead(directory: string, branch: string): Promise<void> {
  await replaceFile(join(directory, "HEAD"), `ref: refs/heads/${branch}\n`);
}

/** The version of the refs in a directory; null: there are none, or it is not one of ours. */
export async function readRefsVersion(directory: string): Promise<bigint | null> {
  const [, version] =
    /^# pack-refs with: .*coregit-version=(\d+) \n/.exec(await readBeginning(join(directory, "packed-refs"))) ?? [];
  return version === undefined ? null : BigInt(version);
}

async function readBeginning(path: string): Promise<string> {
  const file = await open(path, "r").catch(() => null);
  if (file === null) return "";
  await using owned = file;
  const { buffer, bytesRead } = await owned.read(Buffer.alloc(FIRST_LINE_BYTES), 0, FIRST_LINE_BYTES, 0);
  return buffer.toString("latin1", 0, bytesRead);
}

async function replaceFile(path: string, content: string): Promise<void> {
  const next = `${path}.${randomBytes(6).toString("hex")}.new`;
  await writeFile(next, content);
  await rename(next, path);
}
