// The only reader of the process's environment.

/** Variables by name; those that are empty count as not set. */
export type Environment = Readonly<Record<string, string>>;

/** The variables of this program. */
export function readEnvironment(): Environment {
  const own = Object.entries(process.env).filter(
    (pair): pair is [string, string] => pair[0].startsWith("COREGIT_") && pair[1] !== undefined && pair[1] !== "",
  );
  return Object.fromEntries(own);
}
