// Names of rows.
import { randomUUID } from "node:crypto";

/** Where a UUID has random digits only: before its version and behind its variant. */
const RANDOM_HEAD = 8;
const RANDOM_TAIL = -12;

/**
 * A new id, for example `sync_5f0c…`, of 80 random bits: at a billion rows the chance of a collision is below one in a
 * million. Taken from a UUID because node keeps random bits in store for those.
 */
export function newRowId(prefix: "conn" | "hook" | "pack" | "repo" | "run" | "sync" | "tok" | "trigger"): string {
  const uuid = randomUUID();
  return `${prefix}_${uuid.slice(0, RANDOM_HEAD)}${uuid.slice(RANDOM_TAIL)}`;
}
