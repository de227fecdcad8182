import type { Command } from "commander";
import type { CliPorts } from "./ports.ts";
import { configOf, LISTEN_FLAG, type ServerFlags, serverHelp } from "./server-options.ts";

/** The HTTP API and git over HTTP; any replica answers any request. */
export function addApi(program: Command, ports: CliPorts): void {
  program
    .command("api")
    .description("serve the HTTP API and git over HTTP")
    .option(...LISTEN_FLAG)
    .addHelpText("after", serverHelp("coregit api --listen 0.0.0.0:8080"))
    .action(async (flags: ServerFlags) => {
      await ports.roles.api({ config: configOf("api", flags, ports), signal: ports.signal });
    });
}
