// From arguments to an exit code. Nothing below this throws past it, and nothing but this decides the code.
import { CommanderError } from "commander";
import { ConfigError } from "../config/config-error.ts";
import { CoregitError } from "../domain/errors.ts";
import { CliError, EXIT } from "./exit.ts";
import type { CliPorts } from "./ports.ts";
import { createProgram } from "./program.ts";

/** `args` without program and script name. Resolves with 0 done, 1 failed or not found, 2 wrong use, 3 conflict or diverged. */
export async function runCli(args: readonly string[], ports: CliPorts): Promise<number> {
  try {
    await createProgram(ports).parseAsync(args, { from: "user" });
    return EXIT.done;
  } catch (error) {
    return report(error, ports);
  }
}

function report(error: unknown, { output, signal }: CliPorts): number {
  // commander has said what is wrong already. Help that was asked for is no error.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.wrongUse;
  if (error instanceof ConfigError) return say(output, error.message, EXIT.wrongUse);
  if (error instanceof CliError) return say(output, error.message, error.exitCode);
  if (error instanceof CoregitError) return say(output, error.message, EXIT.failed);
  if (signal.aborted && error === signal.reason) return EXIT.done;
  return say(output, error instanceof Error ? error.message : String(error), EXIT.failed);
}

function say(output: CliPorts["output"], message: string, exitCode: number): number {
  output.say(`coregit: ${message}\n`);
  return exitCode;
}
