import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { Command } from "commander";
import { CliError, EXIT } from "./exit.ts";
import type { CliPorts } from "./ports.ts";
import { configOf, DATA_DIR_FLAG, LISTEN_FLAG, type ServerFlags, serverHelp } from "./server-options.ts";

/** All in one process, without a cluster. */
export function addStandalone(program: Command, ports: CliPorts): void {
  program
    .command("standalone")
    .description("everything in one process: database, engine, API, and syncs declared by a folder of YAML files")
    .option("--manifests <dir>", "folder of RepoSync, Connection, Repository and Secret documents, watched")
    .option(...DATA_DIR_FLAG)
    .option(...LISTEN_FLAG)
    .addHelpText("after", serverHelp("coregit standalone --manifests ./syncs --data-dir /var/lib/coregit"))
    .action(async (flags: ServerFlags & { readonly manifests?: string }) => {
      const config = configOf("standalone", flags, ports);
      const manifests = flags.manifests === undefined ? null : await existingFolder(flags.manifests, ports.workingDirectory);
      await ports.roles.standalone({ config, manifests, signal: ports.signal });
    });
}

async function existingFolder(path: string, workingDirectory: string): Promise<string> {
  const folder = resolve(workingDirectory, path);
  const found = await stat(folder).catch(() => null);
  if (found?.isDirectory() !== true) throw new CliError(EXIT.wrongUse, `--manifests must be a folder, and ${folder} is none.`);
  return folder;
}
