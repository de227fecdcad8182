// Names of rows.
import { randomBytes } from "node:crypto";

/** 80 random bits: at a billion rows the chance of a collision is below one in a million. */
const ID_BYTES = 10;

/** A new id, for example `sync_5f0c…`. */
export function newRowId(prefix: "conn" | "pack" | "repo" | "run" | "sync" | "tok" | "trigger"): string {
  return `${prefix}_${randomBytes(ID_BYTES).toString("hex")}`;
}
