// Trees and commits between bytes and data, byte for byte as git frames them (without the object header).
// Decoding takes bytes from anywhere: whatever is malformed is ObjectInvalid, nothing else is thrown, and the
// work is linear in the size. Whether a well-formed name is dangerous is for path-rules to say.
import { createHash } from "node:crypto";
import { CoregitError } from "./errors.ts";
import { isOid, type Oid } from "./oid.ts";
import type { FileMode, Tree, TreeEntry, TreeMode } from "./tree.ts";

export type ObjectType = "blob" | "tree" | "commit" | "tag";

/** An object to be written, as git frames it without its header. */
export type NewObject = { readonly oid: Oid; readonly type: ObjectType; readonly content: Uint8Array };

/** The name of an object: SHA-1 over its header and content. */
export function objectId(type: ObjectType, content: Uint8Array): Oid {
  return createHash("sha1").update(`${type} ${content.byteLength}\0`).update(content).digest("hex") as Oid;
}

/** A new object with its name. */
export function newObject(type: ObjectType, content: Uint8Array): NewObject {
  return { oid: objectId(type, content), type, content };
}

const MODES: ReadonlySet<string> = new Set<FileMode | TreeMode>(["100644", "100755", "100664", "120000", "160000", "40000"]);
const LONGEST_MODE = 6;
const OID_BYTES = 20;
const SPACE = 0x20;

/** Bytes of an entry before its oid. The order of these strings with a tree's `/` is git's order. */
function sortKey(entry: TreeEntry): string {
  return entry.mode === "40000" ? `${entry.name}/` : entry.name;
}

/** git's order of entries: names as bytes, a tree's name as if it ended in `/`. */
export function compareEntries(a: TreeEntry, b: TreeEntry): number {
  const left = sortKey(a);
  const right = sortKey(b);
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** The bytes of a tree whose entries are in git's order (`compareEntries`). */
export function encodeTree(tree: Tree): Uint8Array {
  const size = tree.reduce((sum, entry) => sum + entry.mode.length + entry.name.length + 2 + OID_BYTES, 0);
  const bytes = Buffer.allocUnsafe(size);
  let offset = 0;
  for (const entry of tree) {
    offset += bytes.write(`${entry.mode} ${entry.name}\0`, offset, "latin1");
    offset += bytes.write(entry.oid, offset, "hex");
  }
  return bytes;
}

/** @throws CoregitError `ObjectInvalid`: cut off, an unknown mode, out of order, or a name twice. */
export function decodeTree(content: Uint8Array): Tree {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  const entries: TreeEntry[] = [];
  const names = new Set<string>();
  let previous: TreeEntry | null = null;
  let offset = 0;
  while (offset < bytes.length) {
    const { entry, end } = decodeEntry(bytes, offset);
    if (previous !== null && compareEntries(previous, entry) >= 0) throw invalid("A tree has entries out of order.");
    if (names.has(entry.name)) throw invalid("A tree has the same name twice.");
    names.add(entry.name);
    entries.push(entry);
    previous = entry;
    offset = end;
  }
  return entries;
}

function decodeEntry(bytes: Buffer, start: number): { readonly entry: TreeEntry; readonly end: number } {
  const space = bytes.indexOf(SPACE, start);
  if (space < 0 || space - start > LONGEST_MODE) throw invalid("A tree has an entry without a mode.");
  const mode = bytes.latin1Slice(start, space);
  if (!isMode(mode)) throw invalid("A tree has an entry with a mode that git does not write.");
  const nul = bytes.indexOf(0, space + 1);
  if (nul < 0 || nul + 1 + OID_BYTES > bytes.length) throw invalid("A tree is cut off within an entry.");
  const end = nul + 1 + OID_BYTES;
  const oid = bytes.hexSlice(nul + 1, end) as Oid;
  return { entry: { name: bytes.latin1Slice(space + 1, nul), mode, oid }, end };
}

function isMode(mode: string): mode is FileMode | TreeMode {
  return MODES.has(mode);
}

/** An error of this file, also for the commit codec beside it. */
export function invalid(message: string): CoregitError {
  return new CoregitError("ObjectInvalid", message);
}

export { decodeCommit, encodeCommit } from "./commit-codec.ts";
