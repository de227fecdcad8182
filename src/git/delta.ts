// Deltas as packs have them (gitformat-pack): two sizes, then instructions that copy a part of the base or bring bytes.

const COPY = 0x80;
/** What a copy without a size copies. */
const WHOLE_COPY = 0x10000;

type Sizes = { readonly base: number; readonly result: number; readonly next: number };

/** What a delta says of its base and its result in bytes, and where its instructions begin. */
export function deltaSizes(delta: Buffer): Sizes {
  const base = readSize(delta, 0);
  const result = readSize(delta, base.next);
  return { base: base.size, result: result.size, next: result.next };
}

/** The result; null: the delta is broken, or not one of this base. */
export function applyDelta(base: Buffer, delta: Buffer): Buffer | null {
  const sizes = deltaSizes(delta);
  if (sizes.base !== base.length) return null;
  const result = Buffer.allocUnsafe(sizes.result);
  let filled = 0;
  for (let at = sizes.next; at < delta.length; ) {
    const { source, start, length, next } = readInstruction(base, delta, at);
    const isWithin = length > 0 && start + length <= source.length && filled + length <= result.length;
    if (!isWithin) return null;
    source.copy(result, filled, start, start + length);
    filled += length;
    at = next;
  }
  return filled === result.length ? result : null;
}

type Instruction = { readonly source: Buffer; readonly start: number; readonly length: number; readonly next: number };

function readInstruction(base: Buffer, delta: Buffer, at: number): Instruction {
  const code = delta[at] ?? 0;
  if ((code & COPY) === 0) return { source: delta, start: at + 1, length: code, next: at + 1 + code };
  const start = readSparse(delta, at + 1, code & 0x0f);
  const length = readSparse(delta, start.next, (code >> 4) & 7);
  return { source: base, start: start.value, length: length.value === 0 ? WHOLE_COPY : length.value, next: length.next };
}

/** A number of which only the bytes are there whose bits are set. */
function readSparse(delta: Buffer, offset: number, bits: number): { readonly value: number; readonly next: number } {
  let value = 0;
  let next = offset;
  for (let byte = 0; bits >> byte > 0; byte += 1) {
    if (((bits >> byte) & 1) === 0) continue;
    value += (delta[next] ?? 0) * 256 ** byte;
    next += 1;
  }
  return { value, next };
}

function readSize(delta: Buffer, offset: number): { readonly size: number; readonly next: number } {
  let size = 0;
  let at = offset;
  for (let scale = 1; ; scale *= 128) {
    const byte = delta[at] ?? 0;
    size += (byte & 0x7f) * scale;
    at += 1;
    if (byte < COPY) return { size, next: at };
  }
}
