// From the process to the program: arguments, signals, exit code.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import type { CliPorts, ClusterChores, DoctorCheck, Output, RoleStarters } from "./cli/ports.ts";
import { runCli } from "./cli/run-cli.ts";
import type { Config } from "./config/config.ts";
import { readEnvironment } from "./config/env.ts";

const ROOT = join(import.meta.dirname, "..");

function readVersion(): string {
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { readonly version: string };
  return version;
}

/** The first signal asks the program to end; the second ends it. */
function endOnSignals(stop: AbortController): void {
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stop.signal.aborted) process.exit(signal === "SIGINT" ? 130 : 143);
    stop.abort();
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
}

/**
 * An operator holds thousands of objects and changes few of them. V8 would let its heap grow to a multiple of that before it looks for
 * garbage; a fifth more costs next to no processor time.
 */
const OPERATOR_HEAP = "--heap-growing-percent=20";

/** The roles, loaded by those who start one: client commands answer without them. */
function lazyRoles(version: string): RoleStarters {
  const load = async (): Promise<RoleStarters> => {
    const { createRoles } = await import("./app.ts");
    return createRoles({ version, terminal: { output: process.stdout, log: process.stderr } });
  };
  return {
    standalone: async (options) => (await load()).standalone(options),
    operator: async (options) => {
      setFlagsFromString(OPERATOR_HEAP);
      await (await load()).operator(options);
    },
    api: async (options) => (await load()).api(options),
    migrate: async (options) => (await load()).migrate(options),
  };
}

function lazyChores(version: string): ClusterChores {
  const load = async (): Promise<ClusterChores> => (await import("./cluster-chores.ts")).createClusterChores(version);
  return {
    fillSecret: async (options) => (await load()).fillSecret(options),
    releaseResources: async (options) => (await load()).releaseResources(options),
  };
}

async function reachabilityChecks(config: Config): Promise<readonly DoctorCheck[]> {
  return await (await import("./doctor.ts")).reachabilityChecks(config);
}

async function* deepChecks(...about: Parameters<CliPorts["deepChecks"]>): AsyncGenerator<DoctorCheck> {
  yield* (await import("./doctor.ts")).deepChecks(...about);
}

/** Runs one command and leaves its exit code in `process.exitCode`. */
export async function runMain(args: readonly string[]): Promise<void> {
  const stop = new AbortController();
  endOnSignals(stop);
  // A reader that went away (`coregit get | head`) ends the output, not the program's work.
  process.stdout.on("error", () => stop.abort());
  const version = readVersion();
  const output: Output = {
    print: (text) => void process.stdout.write(text),
    say: (text) => void process.stderr.write(text),
    isTty: process.stdout.isTTY === true,
  };
  process.exitCode = await runCli(args, {
    roles: lazyRoles(version),
    chores: lazyChores(version),
    checks: reachabilityChecks,
    deepChecks,
    output,
    environment: readEnvironment(),
    workingDirectory: process.cwd(),
    crdFolder: join(ROOT, "crds"),
    version,
    now: () => Date.now(),
    signal: stop.signal,
  });
}

if (import.meta.main) await runMain(process.argv.slice(2));
