import type { Command } from "commander";
import type { CliPorts } from "./ports.ts";
import { examplesHelp } from "./server-options.ts";

type Flags = { readonly namespace: readonly string[]; readonly deleteResources?: boolean };

/** Leaves no resource that waits for an operator which is gone. */
export function addUninstall(program: Command, { chores, output, signal }: CliPorts): void {
  program
    .command("uninstall")
    .description("let go of all resources in a cluster, after its operator is gone (KUBECONFIG or in-cluster)")
    .option("--namespace <ns>", "only in this namespace; may be repeated", (ns, all: string[]) => [...all, ns], [])
    .option("--delete-resources", "delete them, while the operator is there to withdraw them")
    .addHelpText("after", examplesHelp("coregit uninstall", "coregit uninstall --delete-resources --namespace team-a"))
    .action(async ({ namespace, deleteResources = false }: Flags) => {
      const count = await chores.releaseResources({ namespaces: namespace, deletes: deleteResources, signal });
      output.print(`${deleteResources ? "Deleted" : "Let go of"} ${count} resources.\n`);
    });
}
