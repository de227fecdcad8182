// JSON as callers mean it: what JSON.parse would silently resolve in one way or another (a key given twice, bytes that are
// not UTF-8) is refused, and so is nesting that no request needs. The check passes over the text once, over strings by
// searching for their end, and makes nothing of it; JSON.parse does the rest.
import { isUtf8 } from "node:buffer";
import { CoregitError } from "../domain/errors.ts";

/** The deepest request nests four levels. */
const MAX_DEPTH = 32;
/** Strings, brackets and commas. A thousand changes with ten edits each have 80,000; each costs memory beyond its bytes. */
const MAX_PARTS = 250_000;

/** @throws CoregitError `InvalidRequest`: not UTF-8, not JSON, nested too deeply, of too many parts, or a key twice in one object. */
export function parseStrictJson(bytes: Uint8Array): unknown {
  if (bytes.byteLength === 0) throw invalid("is empty; send a JSON object");
  if (!isUtf8(bytes)) throw invalid("is not valid UTF-8");
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  checkStructure(text);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalid("is not valid JSON", cause);
  }
}

const STRUCTURE = /["{}[\],]/g;
/** What follows a key and no other string. */
const COLON = /\s*:/y;

/** The keys of each open object; null for an open list. */
type Open = (Set<string> | null)[];

/** Texts that are not JSON pass or fail here; JSON.parse refuses them after all. */
function checkStructure(text: string): void {
  const open: Open = [];
  const structure = new RegExp(STRUCTURE);
  for (let parts = 0; parts <= MAX_PARTS; parts += 1) {
    const match = structure.exec(text);
    if (match === null) return;
    structure.lastIndex = takePart(text, match.index, open);
  }
  throw invalid(`has more than ${MAX_PARTS} parts`);
}

/** Gives where the part that begins at `start` has ended. */
function takePart(text: string, start: number, open: Open): number {
  switch (text[start]) {
    case '"':
      return takeString(text, start, open.at(-1) ?? null);
    case "{":
    case "[":
      open.push(text[start] === "{" ? new Set() : null);
      if (open.length > MAX_DEPTH) throw invalid(`is nested more than ${MAX_DEPTH} levels deep`);
      break;
    case "}":
    case "]":
      open.pop();
  }
  return start + 1;
}

/** A key is added to those of its object. */
function takeString(text: string, start: number, keys: Set<string> | null): number {
  const end = findEnd(text, start);
  if (end < 0) throw invalid("is not valid JSON");
  const colon = new RegExp(COLON);
  colon.lastIndex = end;
  if (keys !== null && colon.test(text)) addKey(keys, text.slice(start, end));
  return end;
}

/** Behind the quote that ends a string: the first that an even number of backslashes precedes. */
function findEnd(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let backslash = quote - 1;
    while (text[backslash] === "\\") backslash -= 1;
    if ((quote - backslash) % 2 === 1) return quote + 1;
  }
  return -1;
}

function addKey(keys: Set<string>, quoted: string): void {
  const key = quoted.includes("\\") ? decodeKey(quoted) : quoted.slice(1, -1);
  if (keys.has(key)) throw invalid(`has the key ${JSON.stringify(key.slice(0, 100))} twice in one object`);
  // As a property it would change what the parsed object inherits.
  if (key === "__proto__") throw invalid('has a key "__proto__"');
  keys.add(key);
}

function decodeKey(quoted: string): string {
  try {
    return JSON.parse(quoted) as string;
  } catch (cause) {
    throw invalid("is not valid JSON", cause);
  }
}

function invalid(problem: string, cause?: unknown): CoregitError {
  return new CoregitError("InvalidRequest", `The request body ${problem}.`, { cause });
}
