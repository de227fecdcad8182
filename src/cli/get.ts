import { Argument, type Command, Option } from "commander";
import { type ApiClient, createApiClient } from "./client.ts";
import { CliError, EXIT } from "./exit.ts";
import { LISTINGS, type Listing } from "./listings.ts";
import { locateServer } from "./locate-server.ts";
import type { CliPorts } from "./ports.ts";
import { clientHelp } from "./server-options.ts";
import { cellsOf, formatLine, type Row, type TableColumn, widthsOf } from "./table.ts";
import { toYaml } from "./yaml.ts";

type Format = "table" | "wide" | "json" | "yaml";
type Flags = { readonly namespace?: string; readonly output: Format; readonly watch?: true };

const PAGE = "100";

/** Lists what a server has, once or for as long as it changes. */
export function addGet(program: Command, ports: CliPorts): void {
  program
    .command("get")
    .description("list syncs, connections, repositories or runs")
    .addArgument(new Argument("[what]", "what to list").choices(Object.keys(LISTINGS)).default("syncs"))
    .option("-n, --namespace <ns>", "of this namespace only")
    .addOption(new Option("-o, --output <format>", "how to print").choices(["table", "wide", "json", "yaml"]).default("table"))
    .option("-w, --watch", "go on and print each sync again when it changes")
    .addHelpText("after", clientHelp("coregit get", "coregit get syncs -o wide --watch", "coregit get runs -o json"))
    .action(async (what: string, flags: Flags) => {
      const client = createApiClient(await locateServer(ports.environment, ports.workingDirectory), ports.signal);
      const listing = LISTINGS[what];
      if (listing === undefined) throw new CliError(EXIT.wrongUse, `There is no list of ${what}.`);
      if (flags.watch !== true)
        return printList(await readAll(client, listing, flags.namespace ?? null), { listing, flags, ports });
      if (what !== "syncs") throw new CliError(EXIT.wrongUse, "--watch is for syncs.");
      await watch(client, { listing, flags, ports });
    });
}

type View = { readonly listing: Listing; readonly flags: Flags; readonly ports: CliPorts };

/** All pages; runs, of which there is no end, one. */
async function readAll(client: ApiClient, { path, key }: Listing, namespace: string | null): Promise<Row[]> {
  const rows: Row[] = [];
  let cursor: string | null = null;
  do {
    const isPaged = key === "repositories" || key === "runs";
    const answer: Row = await client.get(path, { namespace, ...(isPaged ? { limit: PAGE, cursor } : {}) });
    rows.push(...rowsOf(answer[key]));
    cursor = key !== "runs" && typeof answer.next_cursor === "string" ? answer.next_cursor : null;
  } while (cursor !== null);
  return rows;
}

function printList(rows: readonly Row[], view: View): void {
  const { listing, flags, ports } = view;
  if (rows.length === 0 && !isDocument(flags.output)) ports.output.say(`No ${listing.key} found.\n`);
  else
    ports.output.print(isDocument(flags.output) ? documentOf(flags.output, { [listing.key]: rows }) : tableOf(rows, view).text);
}

type WatchEvent = { readonly type?: unknown; readonly sync?: unknown };

/** The list as it is, then a line for each change. */
async function watch(client: ApiClient, view: View): Promise<void> {
  const initial: Row[] = [];
  let printChange: ((row: Row) => void) | null = null;
  const events: AsyncIterable<WatchEvent> = client.stream("/v1/watch/syncs", { namespace: view.flags.namespace ?? null });
  for await (const { type, sync } of events) {
    if (type === "sync" && printChange === null) initial.push(sync as Row);
    else if (type === "sync") printChange?.(sync as Row);
    else if (type === "synced" && printChange === null) {
      printList(initial, view);
      printChange = changePrinter(initial, view);
    }
  }
}

/** Prints a row below the list, in the list's columns. */
function changePrinter(listed: readonly Row[], view: View): (row: Row) => void {
  const { flags, ports } = view;
  const { output } = flags;
  if (output === "json") return (row) => ports.output.print(`${JSON.stringify(row)}\n`);
  if (output === "yaml") return (row) => ports.output.print(`---\n${toYaml(row)}`);
  const { columns, widths } = tableOf(listed, view);
  return (row) => ports.output.print(formatLine(cellsOf(columns, row, ports.now()), widths));
}

function tableOf(rows: readonly Row[], { listing, flags, ports }: View) {
  const columns = columnsOf(listing, flags, rows);
  const lines = [columns.map(({ head }) => head), ...rows.map((row) => cellsOf(columns, row, ports.now()))];
  const widths = widthsOf(lines);
  return { columns, widths, text: lines.map((line) => formatLine(line, widths)).join("") };
}

function isDocument(format: Format): format is "json" | "yaml" {
  return format === "json" || format === "yaml";
}

function documentOf(format: "json" | "yaml", value: unknown): string {
  return format === "json" ? `${JSON.stringify(value, null, 2)}\n` : toYaml(value);
}

/** The namespace shows where it says something: in wide form, and when a row is not in `default`. */
function columnsOf({ columns }: Listing, { output, namespace }: Flags, rows: readonly Row[]): TableColumn[] {
  const isWide = output === "wide";
  const hasNamespaces = isWide || (namespace === undefined && rows.some((row) => row.namespace !== "default"));
  return columns.filter((column) => (isWide || column.isWide !== true) && (hasNamespaces || column.head !== "NAMESPACE"));
}

function rowsOf(value: unknown): Row[] {
  return Array.isArray(value) ? value : [];
}
