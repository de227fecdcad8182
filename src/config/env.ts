// The only reader of the process's environment.
import { TRACING_SETTINGS } from "./settings.ts";

/** Variables by name; those that are empty count as not set. */
export type Environment = Readonly<Record<string, string>>;

const STANDARD: ReadonlySet<string> = new Set(TRACING_SETTINGS.map(({ variable }) => variable));

/** The variables of this program, and those that it shares with others by their standard. */
export function readEnvironment(): Environment {
  const own = Object.entries(process.env).filter(
    (pair): pair is [string, string] => isOurs(pair[0]) && pair[1] !== undefined && pair[1] !== "",
  );
  return Object.fromEntries(own);
}

function isOurs(variable: string): boolean {
  return variable.startsWith("COREGIT_") || STANDARD.has(variable);
}
