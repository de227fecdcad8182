// Finds the Python tools of test/http-fuzz: in the user's cache, else they are installed there once, into an environment of
// their own, exactly as requirements.txt pins them.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { access, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { withBuildLock, writableCache } from "./go-build.ts";

const REQUIREMENTS = join(import.meta.dirname, "../http-fuzz/requirements.txt");
const OLDEST_MINOR = 11;
const INSTALL_DEADLINE_MS = 10 * 60_000;
const run = promisify(execFile);

/** The folder of their programs. @throws Error naming what to install when Python is not there. */
export async function pythonTools(say: (line: string) => void): Promise<string> {
  const version = await readPythonVersion();
  const requirements = await readFile(REQUIREMENTS);
  const key = createHash("sha256").update(version).update("\0").update(requirements).digest("hex").slice(0, 20);
  const folder = join(await writableCache("http-fuzz"), key);
  const programs = join(folder, "bin");
  if (!(await isComplete(folder))) {
    await withBuildLock(`${folder}.lock`, async () => {
      if (!(await isComplete(folder))) await installInto(folder, say);
    });
  }
  return programs;
}

async function readPythonVersion(): Promise<string> {
  const { stdout } = await run("python3", ["--version"]).catch(() => ({ stdout: "" }));
  const [, major, minor] = /^Python (\d+)\.(\d+)/.exec(stdout) ?? [];
  if (major === "3" && Number(minor) >= OLDEST_MINOR) return stdout.trim();
  const found = stdout.trim() || "no python3";
  throw new Error(
    `The tests of the API's document need Python 3.${OLDEST_MINOR} or newer with its venv module; there is ${found}.`,
  );
}

/** Written last: an environment that was left half made is made again. */
function marker(folder: string): string {
  return join(folder, "complete");
}

function isComplete(folder: string): Promise<boolean> {
  return access(marker(folder)).then(
    () => true,
    () => false,
  );
}

async function installInto(folder: string, say: (line: string) => void): Promise<void> {
  say("installing the tools of test/http-fuzz, once (about a minute)");
  await rm(folder, { recursive: true, force: true });
  const limits = { timeout: INSTALL_DEADLINE_MS, maxBuffer: 16 * 1024 * 1024 };
  await run("python3", ["-m", "venv", folder], limits);
  const options = ["--quiet", "--disable-pip-version-check", "--no-input", "--require-hashes", "--only-binary=:all:"];
  await run(join(folder, "bin/python"), ["-m", "pip", "install", ...options, "--requirement", REQUIREMENTS], limits);
  await writeFile(marker(folder), "");
}
