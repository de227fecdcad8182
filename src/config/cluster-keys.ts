// The keys of an installation's Secret: which are there, which are given, which are made. Made once: whatever the Secret holds
// stays, because stored credentials and running clients depend on it.
import { ConfigError } from "./config-error.ts";
import type { Environment } from "./env.ts";
import { newEncryptionKey, newMasterKey, newPassword } from "./secrets.ts";
import { ValueProblem } from "./value-problem.ts";
import { readDatabaseUrl, readEncryptionKeys, readMasterKey } from "./values.ts";

/** Texts by key: `databaseUrl`, `encryptionKey`, `masterKey` and, with a database of the chart, `postgresqlPassword`. */
export type ClusterKeys = Readonly<Record<string, string>>;

const VARIABLES = [
  ["databaseUrl", "COREGIT_DATABASE_URL", readDatabaseUrl],
  ["encryptionKey", "COREGIT_ENCRYPTION_KEY", readEncryptionKeys],
  ["masterKey", "COREGIT_MASTER_KEY", readMasterKey],
] as const;

/** The keys that the environment gives. @throws ConfigError naming the variable that holds no such key. */
export function givenKeys(environment: Environment): ClusterKeys {
  const given: Record<string, string> = {};
  for (const [key, variable, read] of VARIABLES) {
    const text = environment[variable];
    if (text !== undefined) given[key] = checked(variable, text, read);
  }
  return given;
}

/**
 * What to write into a Secret that holds `present`: what is given and differs, and what is missing. With `postgresql`, the
 * address of a database that takes its password from the Secret, `databaseUrl` is made too.
 */
export function keysToWrite(present: ClusterKeys, given: ClusterKeys, postgresql: string | null): ClusterKeys {
  const made = {
    ...(postgresql === null ? {} : databaseKeys(present, postgresql)),
    ...(present.encryptionKey === undefined ? { encryptionKey: newEncryptionKey() } : {}),
    ...(present.masterKey === undefined ? { masterKey: newMasterKey() } : {}),
  };
  return Object.fromEntries(Object.entries({ ...made, ...given }).filter(([key, text]) => present[key] !== text));
}

/** Both or what is missing of them; the password is fit for a URL as it is. */
function databaseKeys(present: ClusterKeys, postgresql: string): ClusterKeys {
  const password = present.postgresqlPassword ?? newPassword();
  const databaseUrl = present.databaseUrl ?? `postgres://coregit:${password}@${postgresql}/coregit`;
  return { databaseUrl, postgresqlPassword: password };
}

function checked(variable: string, text: string, read: (text: string) => unknown): string {
  try {
    read(text);
    return text;
  } catch (error) {
    if (error instanceof ValueProblem) throw new ConfigError(variable, error.message);
    throw error;
  }
}
