import type { Command } from "commander";
import type { CliPorts } from "./ports.ts";
import { configOf, LISTEN_FLAG, type ServerFlags, serverHelp } from "./server-options.ts";

/** The control loop of a cluster, and workers. */
export function addOperator(program: Command, ports: CliPorts): void {
  program
    .command("operator")
    .description("reconcile the custom resources of a cluster (KUBECONFIG or in-cluster) and run syncs")
    .option("--namespace <ns>", "watch this namespace only; may be repeated", (ns, all: string[]) => [...all, ns], [])
    .option(...LISTEN_FLAG)
    .addHelpText("after", serverHelp("coregit operator", "coregit operator --namespace team-a --namespace team-b"))
    .action(async (flags: ServerFlags & { readonly namespace: readonly string[] }) => {
      const config = configOf("operator", flags, ports);
      await ports.roles.operator({ config, namespaces: flags.namespace, signal: ports.signal });
    });
}
