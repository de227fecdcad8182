import { execFile } from "node:child_process";
import { access, constants, mkdir } from "node:fs/promises";
import { promisify } from "node:util";
import { type Command, Option } from "commander";
import type { Config, Role } from "../config/config.ts";
import { ConfigError } from "../config/config-error.ts";
import { CliError, EXIT } from "./exit.ts";
import type { CliPorts, DoctorCheck } from "./ports.ts";
import { configOf, DATA_DIR_FLAG, type ServerFlags, serverHelp } from "./server-options.ts";

const CHECK_DEADLINE_MS = 15_000;
/** The oldest git with which requests can be pinned to a checked address (http.curloptResolve). */
const GIT_MINIMUM = [2, 37] as const;
const NODE_MINIMUM = [22, 19] as const;

type Flags = ServerFlags & { readonly role: Role; readonly deep?: true };

const DEEP_HELP = `
With --deep every stored byte of every repository, or of REPOSITORY, is read and compared with its recorded hash, and git
checks all objects and links (git fsck --full --strict) in a temporary copy below the data dir, which needs as much room as
the largest repository. A standalone that runs goes on meanwhile; for one that is stopped its database is started and stopped
again. Prints a line a repository; exit 1 when anything is damaged, naming repository and pack or object.
`;

/** Checks the settings of a role, this machine, and whatever the role reaches; exit 1 when something is wrong. */
export function addDoctor(program: Command, ports: CliPorts): void {
  program
    .command("doctor")
    .description("check settings, programs and reachability; with --deep, every stored repository")
    .argument("[repository]", "with --deep: only this one, SLUG or NAMESPACE/SLUG")
    .option("--deep", "also read and check everything that is stored")
    .addOption(
      new Option("--role <role>", "the role to check for").choices(["standalone", "operator", "api"]).default("standalone"),
    )
    .option(...DATA_DIR_FLAG)
    .addHelpText(
      "after",
      DEEP_HELP + serverHelp("coregit doctor", "coregit doctor --role api", "coregit doctor --deep team/site"),
    )
    .action(async (repository: string | undefined, flags: Flags) => {
      if (repository !== undefined && flags.deep === undefined) {
        throw new CliError(EXIT.wrongUse, "A repository is checked with --deep only.");
      }
      const { config, tally } = await checkAll(flags, ports);
      // Repositories come after what they need: without it, each would fail for the same reason.
      if (flags.deep && config !== null && tally.failed === 0) await checkDeep(config, repository ?? null, { tally, ports });
      if (tally.failed > 0) throw new CliError(EXIT.failed, `${tally.failed} of ${tally.all} checks failed.`);
    });
}

type Tally = { all: number; failed: number };

async function checkAll(flags: Flags, ports: CliPorts): Promise<{ readonly config: Config | null; readonly tally: Tally }> {
  const { check, config } = settingsCheck(flags, ports);
  const tally = { all: 0, failed: 0 };
  const reached = config === null ? [] : await ports.checks(config);
  for (const next of [check, ...machineChecks(config), ...reached]) await count(tally, next, ports);
  return { config, tally };
}

type Progress = { readonly tally: Tally; readonly ports: CliPorts };

async function checkDeep(config: Config, repository: string | null, { tally, ports }: Progress): Promise<void> {
  for await (const check of ports.deepChecks(config, repository, ports.signal)) await count(tally, check, ports);
}

async function count(tally: Tally, check: DoctorCheck, ports: CliPorts): Promise<void> {
  tally.all += 1;
  if (!(await report(check, ports))) tally.failed += 1;
}

function settingsCheck(
  { role, ...flags }: Flags,
  ports: CliPorts,
): { readonly check: DoctorCheck; readonly config: Config | null } {
  const check = (run: DoctorCheck["run"]) => ({ name: "settings", run });
  try {
    return { config: configOf(role, flags, ports), check: check(async () => `complete for ${role}`) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { config: null, check: check(async () => Promise.reject(error)) };
  }
}

function machineChecks(config: Config | null): DoctorCheck[] {
  const node: DoctorCheck = {
    name: "node",
    run: async () => versionAtLeast(process.versions.node, NODE_MINIMUM, "Node"),
  };
  const git: DoctorCheck = { name: "git", run: gitVersion };
  const dataDir: DoctorCheck = {
    name: "data dir",
    run: async () => writableFolder(config?.dataDir ?? ""),
  };
  return config === null ? [node, git] : [node, git, dataDir];
}

async function report({ name, run, deadlineMs }: DoctorCheck, { output, signal }: CliPorts): Promise<boolean> {
  const deadline = deadlineMs === null ? [] : [AbortSignal.timeout(CHECK_DEADLINE_MS)];
  try {
    const found = await run(AbortSignal.any([signal, ...deadline]));
    output.print(`ok    ${name}: ${found}\n`);
    return true;
  } catch (error) {
    if (signal.aborted) throw new CliError(EXIT.failed, "Ended before everything was checked.");
    output.print(`FAIL  ${name}: ${error instanceof Error ? error.message : String(error)}\n`);
    return false;
  }
}

async function gitVersion(signal: AbortSignal): Promise<string> {
  const { stdout } = await promisify(execFile)("git", ["--version"], { signal, maxBuffer: 4096 }).catch(() => {
    throw new CliError(EXIT.failed, "git cannot be run; install git 2.37 or newer and put it on the PATH.");
  });
  return versionAtLeast(/[0-9]+\.[0-9]+[0-9.]*/.exec(stdout)?.[0] ?? "0.0", GIT_MINIMUM, "git");
}

function versionAtLeast(version: string, [major, minor]: readonly [number, number], program: string): string {
  const [foundMajor = 0, foundMinor = 0] = version.split(".").map(Number);
  const isEnough = foundMajor > major || (foundMajor === major && foundMinor >= minor);
  if (!isEnough) throw new CliError(EXIT.failed, `${program} ${version} is too old; install ${major}.${minor} or newer.`);
  return version;
}

async function writableFolder(folder: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK | constants.X_OK);
    return folder;
  } catch {
    throw new CliError(EXIT.failed, `${folder} cannot be written; make it writable or set COREGIT_DATA_DIR.`);
  }
}
