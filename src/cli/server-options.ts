// What the commands that start a role have in common: flags that stand for variables, and the help that lists both.

import type { Config } from "../config/config.ts";
import { type ConfigInput, parseConfig } from "../config/parse-config.ts";
import { CLIENT_SETTINGS, SERVER_SETTINGS, type Setting, TRACING_SETTINGS } from "../config/settings.ts";
import type { CliPorts } from "./ports.ts";

export type ServerFlags = { readonly listen?: string; readonly dataDir?: string };

export const LISTEN_FLAG = ["--listen <host:port>", "address of the HTTP server (COREGIT_LISTEN)"] as const;
export const DATA_DIR_FLAG = ["--data-dir <dir>", "folder of all state (COREGIT_DATA_DIR)"] as const;

/** Checks the settings of `command`; says a warning for each variable that it does not know. */
export function configOf(command: ConfigInput["command"], flags: ServerFlags, ports: CliPorts): Config {
  const { environment, workingDirectory, output } = ports;
  const { config, warnings } = parseConfig({
    command,
    environment,
    flags: {
      ...(flags.listen === undefined ? {} : { COREGIT_LISTEN: flags.listen }),
      ...(flags.dataDir === undefined ? {} : { COREGIT_DATA_DIR: flags.dataDir }),
    },
    workingDirectory,
    isTty: output.isTty,
  });
  for (const warning of warnings) output.say(`coregit: ${warning}\n`);
  return config;
}

export function serverHelp(...examples: readonly string[]): string {
  return `${settingsHelp([...SERVER_SETTINGS, ...TRACING_SETTINGS])}${examplesHelp(...examples)}`;
}

export function clientHelp(...examples: readonly string[]): string {
  return `${settingsHelp(CLIENT_SETTINGS)}${examplesHelp(...examples)}`;
}

export function examplesHelp(...examples: readonly string[]): string {
  return `\n${examples.length === 1 ? "Example" : "Examples"}:\n${examples.map((example) => `  $ ${example}\n`).join("")}`;
}

function settingsHelp(settings: readonly Setting[]): string {
  const lines = settings.map(({ variable, meaning, default: fallback }) => `  ${variable.padEnd(23)} ${meaning} [${fallback}]\n`);
  return `\nEnvironment (a flag wins):\n${lines.join("")}`;
}
