import type { Command } from "commander";
import type { CliPorts } from "./ports.ts";
import { examplesHelp } from "./server-options.ts";

export function addVersion(program: Command, { output, version }: CliPorts): void {
  program
    .command("version")
    .description("print the version")
    .addHelpText("after", examplesHelp("coregit version"))
    .action(() => output.print(`coregit ${version}\n`));
}
