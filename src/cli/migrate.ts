import type { Command } from "commander";
import type { CliPorts } from "./ports.ts";
import { configOf, serverHelp } from "./server-options.ts";

/** Brings the schema of the database up to date. */
export function addMigrate(program: Command, ports: CliPorts): void {
  program
    .command("migrate")
    .description("bring the database's schema up to date; safe to run twice and at once")
    .addHelpText("after", serverHelp("COREGIT_DATABASE_URL=postgres://coregit@db/coregit coregit migrate"))
    .action(async () => {
      const applied = await ports.roles.migrate({ config: configOf("migrate", {}, ports), signal: ports.signal });
      ports.output.print(
        applied.length === 0 ? "The schema is up to date.\n" : applied.map((name) => `applied ${name}\n`).join(""),
      );
    });
}
