// The body of a watch: one JSON document a line. A line that is cut off or is no event is an error, never skipped, because
// a skipped event would leave the cache wrong until the next list.
import { KubeApiError } from "./api-error.ts";
import type { KubeObject } from "./object.ts";

export type WatchEvent =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK"; readonly object: KubeObject }
  | { readonly type: "ERROR"; readonly object: unknown };

/** etcd takes objects up to 1.5 MB; JSON of one is not eight times as large. */
const MAX_LINE_BYTES = 12 * 1024 * 1024;
const NEWLINE = 0x0a;

const TYPES: ReadonlySet<unknown> = new Set(["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"]);

/**
 * The events in the order in which they arrive. `onBytes` runs for each piece of the body.
 * @throws KubeApiError `Malformed`, `Truncated` (the body ended inside a line), `TooLarge`.
 */
export async function* decodeWatch(body: AsyncIterable<Uint8Array>, onBytes: () => void): AsyncGenerator<WatchEvent> {
  for await (const line of splitLines(body, onBytes)) {
    const text = line.toString("utf8").trim();
    if (text !== "") yield parseEvent(text);
  }
}

async function* splitLines(body: AsyncIterable<Uint8Array>, onBytes: () => void): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of body) {
    onBytes();
    const pieces = Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = pieces.indexOf(NEWLINE); end >= 0; end = pieces.indexOf(NEWLINE, start)) {
      yield pieces.subarray(start, end);
      start = end + 1;
    }
    rest = pieces.subarray(start);
    if (rest.length > MAX_LINE_BYTES) throw broken("TooLarge", `an event is larger than ${MAX_LINE_BYTES} bytes`);
  }
  if (rest.toString("utf8").trim() !== "") throw broken("Truncated", "the watch ended in the middle of an event");
}

function parseEvent(line: string): WatchEvent {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw broken("Malformed", "an event is no JSON", cause);
  }
  if (!isEvent(value)) throw broken("Malformed", "an event lacks its type or object");
  return value;
}

function isEvent(value: unknown): value is WatchEvent {
  if (typeof value !== "object" || value === null || !("type" in value) || !("object" in value)) return false;
  if (!TYPES.has(value.type) || typeof value.object !== "object" || value.object === null) return false;
  return value.type === "ERROR" || "metadata" in value.object;
}

function broken(reason: string, message: string, cause?: unknown): KubeApiError {
  return new KubeApiError({ status: null, reason, message, cause });
}
