import type { Command } from "commander";
import { createApiClient } from "./client.ts";
import { findSync, NAMESPACE_FLAG, type NamespaceFlag } from "./find-sync.ts";
import { locateServer } from "./locate-server.ts";
import type { CliPorts } from "./ports.ts";
import { printPlan } from "./print-plan.ts";
import { clientHelp } from "./server-options.ts";
import { type Row, text } from "./table.ts";

type Flags = NamespaceFlag & { readonly plan?: true; readonly wait: boolean };

/** Runs a sync now and says what it did. */
export function addSync(program: Command, ports: CliPorts): void {
  program
    .command("sync")
    .description("run a sync now and wait for its end")
    .argument("<name>", "name of the sync")
    .option(...NAMESPACE_FLAG)
    .option("--plan", "show what would change and write nothing")
    .option("--no-wait", "only ask for the run")
    .addHelpText("after", clientHelp("coregit sync website", "coregit sync website --plan", "coregit sync website --no-wait"))
    .action((name: string, flags: Flags) => triggerSync(name, flags, ports));
}

export async function triggerSync(name: string, flags: Flags, ports: CliPorts): Promise<void> {
  const { output, environment, workingDirectory, signal } = ports;
  const client = createApiClient(await locateServer(environment, workingDirectory), signal);
  const sync = await findSync(client, flags.namespace, name);
  if (output.isTty && flags.wait) output.say(`${flags.plan === true ? "Planning" : "Syncing"} ${name}…\n`);
  const options = flags.plan === true ? { dry_run: true } : flags.wait ? {} : { wait: false };
  const answer = await client.post(`${sync.routes}/sync`, { sync_id: sync.id, ...options });
  if (flags.plan === true) return printPlan(answer.plan as Row, output);
  output.print(`${flags.wait ? outcome(name, answer) : `Run ${text(answer, "run_id")} of ${name} has been asked for.`}\n`);
}

function outcome(name: string, answer: Row): string {
  const at = text(answer, "remote_sha")?.slice(0, 8) ?? "an empty remote";
  if (answer.synced !== true) return `${name} is in step with its remote at ${at}; nothing changed.`;
  const commit = text(answer, "commit_sha")?.slice(0, 8);
  return `${name} synced with its remote at ${at}: ${text(answer, "files_changed")} changed, ${text(answer, "deleted")} deleted${commit === undefined ? "" : `, commit ${commit}`}.`;
}
