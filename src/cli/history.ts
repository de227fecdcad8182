import { type Command, InvalidArgumentError } from "commander";
import { createApiClient } from "./client.ts";
import { findSync, NAMESPACE_FLAG, type NamespaceFlag } from "./find-sync.ts";
import { RUN_COLUMNS } from "./listings.ts";
import { locateServer } from "./locate-server.ts";
import type { CliPorts } from "./ports.ts";
import { clientHelp } from "./server-options.ts";
import { cellsOf, formatTable, type Row } from "./table.ts";

type Flags = NamespaceFlag & { readonly limit: number };

const MAX_LIMIT = 100;

/** The last runs of a sync, newest first. */
export function addHistory(program: Command, ports: CliPorts): void {
  program
    .command("history")
    .description("list the last runs of a sync")
    .argument("<name>", "name of the sync")
    .option(...NAMESPACE_FLAG)
    .option("--limit <count>", `how many, at most ${MAX_LIMIT}`, readLimit, 20)
    .addHelpText("after", clientHelp("coregit history website --limit 5"))
    .action((name: string, flags: Flags) => printHistory(name, flags, ports));
}

async function printHistory(name: string, flags: Flags, ports: CliPorts): Promise<void> {
  const client = createApiClient(await locateServer(ports.environment, ports.workingDirectory), ports.signal);
  const sync = await findSync(client, flags.namespace, name);
  const { runs } = await client.get("/v1/runs", { sync_id: sync.id, limit: String(flags.limit) });
  const rows = Array.isArray(runs) ? (runs as Row[]) : [];
  if (rows.length === 0) return ports.output.say(`${name} has not run yet.\n`);
  const lines = rows.map((row) => cellsOf(RUN_COLUMNS, row, ports.now()));
  ports.output.print(formatTable([RUN_COLUMNS.map(({ head }) => head), ...lines]));
}

function readLimit(text: string): number {
  const limit = /^[0-9]+$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > MAX_LIMIT) throw new InvalidArgumentError(`It must be from 1 to ${MAX_LIMIT}.`);
  return limit;
}
