import { execFile } from "node:child_process";
import { access, constants, mkdir } from "node:fs/promises";
import { promisify } from "node:util";
import { type Command, Option } from "commander";
import type { Config, Role } from "../config/config.ts";
import { ConfigError } from "../config/config-error.ts";
import { CliError, EXIT } from "./exit.ts";
import type { CliPorts, DoctorCheck } from "./ports.ts";
import { configOf, serverHelp } from "./server-options.ts";

const CHECK_DEADLINE_MS = 15_000;
/** The oldest git with which requests can be pinned to a checked address (http.curloptResolve). */
const GIT_MINIMUM = [2, 37] as const;
const NODE_MINIMUM = [22, 19] as const;

/** Checks the settings of a role, this machine, and whatever the role reaches; exit 1 when something is wrong. */
export function addDoctor(program: Command, ports: CliPorts): void {
  program
    .command("doctor")
    .description("check settings, programs and reachability")
    .addOption(
      new Option("--role <role>", "the role to check for").choices(["standalone", "operator", "api"]).default("standalone"),
    )
    .addHelpText("after", serverHelp("coregit doctor", "coregit doctor --role api"))
    .action(async ({ role }: { readonly role: Role }) => {
      const settings = settingsCheck(role, ports);
      const checks = [
        settings.check,
        ...machineChecks(settings.config),
        ...(settings.config === null ? [] : await ports.checks(settings.config)),
      ];
      let failed = 0;
      for (const check of checks) if (!(await report(check, ports))) failed += 1;
      if (failed > 0) throw new CliError(EXIT.failed, `${failed} of ${checks.length} checks failed.`);
    });
}

function settingsCheck(role: Role, ports: CliPorts): { readonly check: DoctorCheck; readonly config: Config | null } {
  const check = (run: DoctorCheck["run"]) => ({ name: "settings", run });
  try {
    return { config: configOf(role, {}, ports), check: check(async () => `complete for ${role}`) };
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

async function report({ name, run }: DoctorCheck, { output, signal }: CliPorts): Promise<boolean> {
  try {
    const found = await run(AbortSignal.any([signal, AbortSignal.timeout(CHECK_DEADLINE_MS)]));
    output.print(`ok    ${name}: ${found}\n`);
    return true;
  } catch (error) {
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
