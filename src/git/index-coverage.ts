// Whether one pack has all that another has, told from their indexes.
import { setImmediate as yieldTurn } from "node:timers/promises";
import { readObjectNames } from "./pack-index.ts";

const OID_BYTES = 20;
/** Objects compared in one go, about ten milliseconds. */
const SLICE = 50_000;

/** @throws CoregitError `PackInvalid` when either is no index. */
export async function coversIndex(whole: Buffer, part: Buffer): Promise<boolean> {
  const [names, wanted] = [readObjectNames(whole), readObjectNames(part)];
  let position = 0;
  for (let offset = 0, compared = 1; offset < wanted.length; offset += OID_BYTES, compared += 1) {
    const oid = wanted.subarray(offset, offset + OID_BYTES);
    position = findFrom(names, position, oid);
    if (position >= names.length / OID_BYTES || compareAt(names, position, oid) !== 0) return false;
    if (compared % SLICE === 0) await yieldTurn();
  }
  return true;
}

/** The first name from `start` on that is not before `oid`: in growing steps, then by halves, as the names are in order. */
function findFrom(names: Buffer, start: number, oid: Buffer): number {
  const count = names.length / OID_BYTES;
  let low = start;
  let step = 1;
  while (low + step < count && compareAt(names, low + step, oid) < 0) {
    low += step;
    step *= 2;
  }
  let high = Math.min(low + step, count);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareAt(names, middle, oid) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function compareAt(names: Buffer, index: number, oid: Buffer): number {
  return names.compare(oid, 0, OID_BYTES, index * OID_BYTES, (index + 1) * OID_BYTES);
}
