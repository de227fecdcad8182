// Secrets that tests and the program give each other as fields: learned where they pass, so that no test has to name them.
import type { Declarations } from "../../../src/sync/declarations.ts";
import { keepsEvidence, knowSecret } from "./evidence.ts";

const SECRET_FIELD = /(?:token|password|secret|(?:private|master|encryption)_?key)$/i;
const SECRET_VARIABLE = /(?:KEY|SECRET|TOKEN|PASSWORD)$/;

/** The values of fields whose names say that they are secrets, at any depth of plain data. */
export function knowSecretsIn(owner: string, value: unknown): void {
  if (!keepsEvidence() || !isPlain(value)) return;
  for (const [name, field] of Object.entries(value)) {
    if (typeof field === "string" && SECRET_FIELD.test(name)) knowSecret(`the ${name} of ${owner}`, field);
    else knowSecretsIn(owner, field);
  }
}

/** The same declarations, the credentials given to them learned. */
export function knowCredentials(declarations: Declarations): Declarations {
  return {
    ...declarations,
    declareConnection(connection) {
      knowSecretsIn("a connection", connection.credential);
      return declarations.declareConnection(connection);
    },
  };
}

/** What a program is given in its environment. */
export function knowSecretsOfEnvironment(environment: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(environment)) {
    if (SECRET_VARIABLE.test(name)) for (const each of value.split(",")) knowSecret(name, each);
    if (URL.canParse(value)) knowPassword(value);
  }
}

/** The password of a URL that has one. */
export function knowPassword(url: string): void {
  const { protocol, password } = new URL(url);
  knowSecret(`the password of a ${protocol} URL`, decodeURIComponent(password));
}

function isPlain(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === Object.prototype || prototype === null;
}
