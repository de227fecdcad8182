import type { Command } from "commander";
import { NAMESPACE_FLAG, type NamespaceFlag } from "./find-sync.ts";
import type { CliPorts } from "./ports.ts";
import { clientHelp } from "./server-options.ts";
import { triggerSync } from "./sync.ts";

/** Shows what a run would change, without changing it. */
export function addPlan(program: Command, ports: CliPorts): void {
  program
    .command("plan")
    .description("show what a sync would change and write nothing")
    .argument("<name>", "name of the sync")
    .option(...NAMESPACE_FLAG)
    .addHelpText("after", clientHelp("coregit plan website -n team-a"))
    .action((name: string, flags: NamespaceFlag) => triggerSync(name, { ...flags, plan: true, wait: true }, ports));
}
