// The command tree. Each command adds itself; this file says which there are.
import { Command } from "commander";
import { addApi } from "./api.ts";
import { addCrds } from "./crds.ts";
import { addDoctor } from "./doctor.ts";
import { addGet } from "./get.ts";
import { addHistory } from "./history.ts";
import { addMigrate } from "./migrate.ts";
import { addOperator } from "./operator.ts";
import { addPlan } from "./plan.ts";
import type { CliPorts } from "./ports.ts";
import { addSecret } from "./secret.ts";
import { addStandalone } from "./standalone.ts";
import { addSync } from "./sync.ts";
import { addUninstall } from "./uninstall.ts";
import { addVersion } from "./version.ts";

const EXIT_CODES = `
Exit codes: 0 done, 1 failed or not found, 2 wrong use, 3 conflict or diverged.
`;

export function createProgram(ports: CliPorts): Command {
  const { output } = ports;
  const program = new Command("coregit")
    .description("Stores git repositories and keeps them in step with GitHub, GitLab and any git server.")
    .helpCommand(false)
    .showHelpAfterError("See --help for how to use it.")
    .showSuggestionAfterError()
    .addHelpText("after", EXIT_CODES)
    .exitOverride()
    .configureOutput({ writeOut: (text) => output.print(text), writeErr: (text) => output.say(text) });
  const adders = [
    addStandalone,
    addOperator,
    addApi,
    addMigrate,
    addGet,
    addSync,
    addPlan,
    addHistory,
    addCrds,
    addDoctor,
    addSecret,
    addUninstall,
    addVersion,
  ];
  for (const add of adders) add(program, ports);
  return program;
}
