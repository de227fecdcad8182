import type { Command } from "commander";
import { givenKeys } from "../config/cluster-keys.ts";
import { CliError, EXIT } from "./exit.ts";
import type { CliPorts } from "./ports.ts";
import { examplesHelp } from "./server-options.ts";

const ABOUT = `
Keys that the Secret has stay as they are. COREGIT_DATABASE_URL, COREGIT_ENCRYPTION_KEY and COREGIT_MASTER_KEY, where they are
set, are written; encryptionKey and masterKey are made where they are missing. The chart's job runs this before an install.
`;

type Flags = { readonly namespace?: string; readonly postgresql?: string };

/** Completes the Secret that holds the keys of an installation; exit 1 when it ends without a database. */
export function addSecret(program: Command, { chores, environment, output, signal }: CliPorts): void {
  program
    .command("secret")
    .description("complete the Secret of an installation: make the keys that it lacks (KUBECONFIG or in-cluster)")
    .argument("<name>", "name of the Secret; it is created when it is not there")
    .option("-n, --namespace <ns>", "namespace of the Secret [the pod's, or the kubeconfig's]")
    .option("--postgresql <host:port>", "make the keys of the chart's own database at this address too")
    .addHelpText("after", `${ABOUT}${examplesHelp("coregit secret coregit --namespace coregit")}`)
    .action(async (name: string, flags: Flags) => {
      const given = givenKeys(environment);
      const { namespace = null, postgresql = null } = flags;
      const keys = await chores.fillSecret({ name, namespace, given, postgresql, signal });
      output.print(`The Secret ${name} has ${keys.toSorted().join(", ")}.\n`);
      if (keys.includes("databaseUrl")) return;
      throw new CliError(
        EXIT.failed,
        `The Secret ${name} has no databaseUrl: add it, or set databaseUrl, existingSecret or postgresql.enabled in the chart's values.`,
      );
    });
}
