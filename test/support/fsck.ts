// The invariant of every stored repository: git itself finds nothing wrong with it.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { tryGit } from "./git.ts";

/** Fails unless `git fsck --full --strict` of the bare repository is clean. Objects without a ref are no fault. */
export async function expectCleanRepository(directory: string): Promise<void> {
  const { code, stdout, stderr } = await tryGit(["--git-dir", directory, "fsck", "--full", "--strict", "--no-dangling"]);
  // An empty repository is noticed, not found fault with.
  const output = `${stdout.toString()}${stderr}`.replace(/^notice: .*\n/gm, "");
  expect({ directory, code, output }).toEqual({ directory, code: 0, output: "" });
}

/** The same for every view below a cache folder. */
export async function expectCleanViews(cacheDir: string): Promise<void> {
  const views = await readdir(join(cacheDir, "views")).catch(() => []);
  for (const name of views) await expectCleanRepository(join(cacheDir, "views", name));
}
