// Translates what pg reports into the product's words, once. A statement that the server refused keeps pg's own
// error with its SQLSTATE; everything that means "no usable connection" becomes DatabaseUnavailable.

import pg from "pg";
import { CoregitError } from "../domain/errors.ts";

/**
 * SQLSTATEs after which the connection, or the server behind it, is of no use: shutdown, crash, start-up, dropped
 * database, idle timeouts, too many connections, and a standby where a primary was.
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const UNAVAILABLE_STATES: ReadonlySet<string> = new Set(["57P01", "57P02", "57P03", "57P04", "57P05", "25P03", "53300", "25006"]);

/** Class 08: connection exception; class 28: the credential is refused; 3D000: no such database. */
const UNAVAILABLE_PATTERN = /^(08...|28...|3D000)$/;

/** True when the error says that the connection broke, could not be made, or did not answer in time. */
export function isConnectionFailure(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) {
    const state = error.code ?? "";
    return UNAVAILABLE_STATES.has(state) || UNAVAILABLE_PATTERN.test(state);
  }
  // pg throws programming errors (a value that cannot be serialized) as these; all else that is not an answer of the
  // server, coded or not, is a lost connection or a deadline.
  const isProgrammingError = error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError;
  return error instanceof Error && !isProgrammingError && !(error instanceof CoregitError);
}

/** The error to throw in place of `error`: DatabaseUnavailable with it as cause, or itself. */
export function translateDatabaseError(error: unknown): unknown {
  if (!isConnectionFailure(error)) return error;
  return new CoregitError("DatabaseUnavailable", `The database cannot be reached${reasonOf(error)}.`, { cause: error });
}

/** The code that tells an operator where to look; never pg's message, which may quote the URL. */
function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? ` (${code})` : "";
}
