// Judges trees as bytes, without making the data of them: a history has millions of entries, and nearly all of them are
// plainly harmless. The rules stay those of path-rules, which are asked about whatever is not plain at first sight.
import { decodeMode, decodeOid, findNul, OID_BYTES } from "./object-codec.ts";
import { checkTreeEntry } from "./path-rules.ts";

const NO_BYTE = 0;
const SLASH = 0x2f;
const BACKSLASH = 0x5c;
const MAX_ASCII = 0x7f;
/** Longer ones are rare. */
const MAX_PLAIN_BYTES = 255;
/** With these begin the names that `.git`, `.gitmodules` and their short forms have on some file system. */
const SUSPICIOUS_STARTS: ReadonlySet<number> = new Set([".", "g", "G", "~"].map((character) => character.charCodeAt(0)));

/**
 * The number of entries of a tree that git has taken, so that they are in order and none is there twice; null when one must not
 * be stored. `onFolder` is told where in `bytes` the oid of each folder is.
 * @throws CoregitError `ObjectInvalid`: cut off or an unknown mode.
 */
export function scanTree(bytes: Buffer, onFolder: (oidAt: number) => void): number | null {
  let entries = 0;
  for (let offset = 0; offset < bytes.length; entries += 1) {
    const mode = decodeMode(bytes, offset);
    const nameAt = offset + mode.length + 1;
    const nul = findNul(bytes, nameAt);
    if (!isPlain(bytes, nameAt, nul)) {
      const name = bytes.toString("latin1", nameAt, nul);
      if (checkTreeEntry({ name, mode, oid: decodeOid(bytes, nul + 1) }) !== null) return null;
    }
    if (mode === "40000") onFolder(nul + 1);
    offset = nul + 1 + OID_BYTES;
  }
  return entries;
}

/** False for all that `checkTreeEntry` refuses, whatever the mode, and for some that it does not. */
function isPlain(bytes: Buffer, nameAt: number, nul: number): boolean {
  const first = bytes[nameAt] ?? NO_BYTE;
  if (nul === nameAt || nul - nameAt > MAX_PLAIN_BYTES || first > MAX_ASCII || SUSPICIOUS_STARTS.has(first)) return false;
  // No oid but the null object's, and one in four billion others, begins with four zeros.
  if (bytes.readInt32LE(nul + 1) === 0) return false;
  for (let at = nameAt; at < nul; at += 1) if (bytes[at] === SLASH || bytes[at] === BACKSLASH) return false;
  return true;
}
