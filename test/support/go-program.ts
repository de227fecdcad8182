// Go programs that tests run, built once and kept in the user's cache: those of others by `go install`, and small ones of the tests'
// own by `go build` of their module.
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { goCaches, isExecutable, runGo, withBuildLock, writableCache } from "./go-build.ts";

type Described = {
  /** Name of the binary. */
  readonly name: string;
  /** Folder of the cache. */
  readonly cache: string;
  /** What needs it, for the message when there is no Go. */
  readonly neededBy: string;
  /** How long a first build takes, in words. */
  readonly takes: string;
};

export type GoProgram = Described & {
  /** The package to install, with its version. */
  readonly package: string;
};

export type GoModule = Described & {
  /** Folder of the module, whose `main.go` is all of its own code. */
  readonly folder: string;
};

type Say = (line: string) => void;

/** Puts the program into the folder. */
type Build = (draft: string) => Promise<unknown>;

const FLAGS = ["-trimpath", "-ldflags", "-s -w"];
const SOURCES = ["go.mod", "go.sum", "main.go"];

/** Path of the program. @throws Error naming what to install when there is no Go tool chain. */
export async function goProgram(program: GoProgram, say: Say): Promise<string> {
  const install: Build = async (draft) =>
    runGo(["install", ...FLAGS, program.package], { env: { ...(await goCaches(draft)), GOBIN: draft } });
  return builtOnce({ ...program, identity: program.package, build: install }, say);
}

/** The same for a module of the tests' own; another content of its files is another program. */
export async function goModule(module: GoModule, say: Say): Promise<string> {
  const { folder: cwd, name } = module;
  const sources = await Promise.all(SOURCES.map((source) => readFile(join(cwd, source), "utf8")));
  const build: Build = async (draft) =>
    runGo(["build", "-buildvcs=false", ...FLAGS, "-o", join(draft, name), "."], { cwd, env: await goCaches(draft) });
  return builtOnce({ ...module, identity: sources.join("\0"), build }, say);
}

type Wanted = Described & { readonly identity: string; readonly build: Build };

async function builtOnce(wanted: Wanted, say: Say): Promise<string> {
  const goVersion = await readGoVersion(wanted.neededBy);
  const key = createHash("sha256").update(`${goVersion}\0${wanted.identity}`).digest("hex").slice(0, 20);
  const target = join(await writableCache(wanted.cache), key);
  const path = join(target, wanted.name);
  if (await isExecutable(path)) return path;
  await withBuildLock(`${target}.lock`, async () => {
    if (!(await isExecutable(path))) await buildInto(target, wanted, say);
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

async function buildInto(target: string, { name, takes, build }: Wanted, say: Say): Promise<void> {
  const draft = await mkdtemp(`${target}.draft-`);
  try {
    say(`building ${name} for the tests, once (${takes})`);
    await build(draft);
    await rename(draft, target);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}
