// A folder of what the image holds, and its programs run as a cluster runs them: by an unprivileged user without capabilities, on a
// file system that is read-only except for one folder. Root makes that out of a mount namespace. Any other user runs them as himself,
// on a folder that he may not write either.
import { execFile, spawnSync } from "node:child_process";
import { chmod, chown, mkdir, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { inject } from "vitest";
import { linkImage, removeImages } from "./built-image.ts";
import { type RunningProgram, startProgram } from "./running-program.ts";
import { keepSaid } from "./secrets/evidence.ts";
import "./image-setup.ts";

const run = promisify(execFile);
/** As in the Dockerfile. */
const USER = 10_001;
const isRoot = process.getuid?.() === 0;
const hasNamespaces = isRoot && spawnSync("unshare", ["--mount", "true"]).status === 0;

/** Keeps its own two folders writable, makes the rest read-only and gives up root: what a pod's security context does. */
const CONFINE = `
mount --make-rprivate / && mount --bind "$COREGIT_DATA_DIR" "$COREGIT_DATA_DIR" && mount --bind "$TMPDIR" "$TMPDIR" &&
mount -o remount,bind,ro / && exec setpriv --reuid=${USER} --regid=${USER} --clear-groups --no-new-privs --bounding-set=-all "$@"`;

type Environment = Readonly<Record<string, string>>;

export type Image = AsyncDisposable & {
  readonly folder: string;
  /** A new folder that the programs' user owns. */
  newFolder(name: string): Promise<string>;
  /** Runs one command to its end. @throws with its output when it fails. */
  run(args: readonly string[], environment: Environment): Promise<string>;
  /** Starts the entry point with these arguments. `logPath` receives what it says. */
  start(args: readonly string[], environment: Environment, logPath: string): RunningProgram;
};

export async function makeImage(): Promise<Image> {
  await using stack = new AsyncDisposableStack();
  const place = await mkdtemp(join(tmpdir(), "coregit-image-"));
  stack.defer(() => removeImages(place));
  await chmod(place, 0o755);
  const folder = join(place, "image");
  await linkImage(inject("imageFolder"), folder);
  if (!isRoot) await run("chmod", ["-R", "a-w", folder]);

  const newFolder = async (name: string): Promise<string> => {
    const path = join(place, name);
    await mkdir(path, { mode: 0o700 });
    if (isRoot) await chown(path, USER, USER);
    return path;
  };
  const temporary = await newFolder("tmp");
  const environmentOf = (given: Environment) => ({
    COREGIT_DATA_DIR: temporary,
    ...given,
    PATH: `${join(folder, "bin")}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin`,
    TMPDIR: temporary,
  });
  const owned = stack.move();
  return {
    folder,
    newFolder,
    async run(args, given) {
      const [program, rest] = confined(args);
      const { stdout, stderr } = await run(program, rest, { env: environmentOf(given), cwd: "/" });
      keepSaid(`the output of coregit ${args[0] ?? ""}`, `${stdout}\n${stderr}`);
      return stdout;
    },
    start(args, given, logPath) {
      const [program, rest] = confined(["coregit", ...args]);
      return startProgram(program, { args: rest, env: environmentOf(given), logPath });
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function confined(command: readonly string[]): [string, readonly string[]] {
  if (hasNamespaces) return ["unshare", ["--mount", "sh", "-c", CONFINE, "sh", ...command]];
  if (isRoot) return ["setpriv", [`--reuid=${USER}`, `--regid=${USER}`, "--clear-groups", "--no-new-privs", ...command]];
  return ["env", command];
}
