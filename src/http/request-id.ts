// The name of one request in answers and logs. A caller's own is kept when it is harmless to write anywhere.
import { randomUUID } from "node:crypto";

const SANE = /^[A-Za-z0-9._:-]{1,128}$/;

/** `given` when it is a single short word, a new UUID otherwise. */
export function requestId(given: string | readonly string[] | undefined): string {
  return typeof given === "string" && SANE.test(given) ? given : randomUUID();
}
