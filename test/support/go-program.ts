// Programs of others that tests run, built once with `go install` and kept in the user's cache.
import { createHash } from "node:crypto";
import { mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { goCaches, isExecutable, runGo, withBuildLock, writableCache } from "./go-build.ts";

export type GoProgram = {
  /** The package to install, with its version. */
  readonly package: string;
  /** Name of the binary. */
  readonly name: string;
  /** Folder of the cache. */
  readonly cache: string;
  /** What needs it, for the message when there is no Go. */
  readonly neededBy: string;
  /** How long a first build takes, in words. */
  readonly takes: string;
};

/** Path of the program. @throws Error naming what to install when there is no Go tool chain. */
export async function goProgram(program: GoProgram, say: (line: string) => void): Promise<string> {
  const goVersion = await readGoVersion(program.neededBy);
  const key = createHash("sha256").update(`${goVersion}\0${program.package}`).digest("hex").slice(0, 20);
  const target = join(await writableCache(program.cache), key);
  const path = join(target, program.name);
  if (await isExecutable(path)) return path;
  await withBuildLock(`${target}.lock`, async () => {
    if (!(await isExecutable(path))) await installInto(target, program, say);
  });
  return path;
}

async function readGoVersion(neededBy: string): Promise<string> {
  try {
    return (await runGo(["env", "GOVERSION", "GOOS", "GOARCH"])).trim();
  } catch (cause) {
    throw new Error(`${neededBy}, which is built with Go 1.26 or newer: install it.`, { cause });
  }
}

async function installInto(target: string, program: GoProgram, say: (line: string) => void): Promise<void> {
  const draft = await mkdtemp(`${target}.draft-`);
  try {
    say(`building ${program.package} for the tests, once (${program.takes})`);
    await runGo(["install", "-trimpath", "-ldflags", "-s -w", program.package], {
      env: { ...(await goCaches(draft)), GOBIN: draft },
    });
    await rename(draft, target);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}
