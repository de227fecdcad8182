// Durations as resources and manifests write them (Go's and Flux's form, `1h30m`), to and from milliseconds.

/** The form that `parseDuration` reads and schemas show. */
export const DURATION_PATTERN = "^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$";

const UNIT_MS = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;
type Unit = keyof typeof UNIT_MS;

const WHOLE = new RegExp(DURATION_PATTERN);
const PART = /([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)/g;
const MAX_LENGTH = 64;
/** Beyond it a timer or a timestamp would overflow long before anybody waits for it. */
const MAX_MS = 10 * 365 * 24 * UNIT_MS.h;

/** Milliseconds, rounded to whole ones; null when the text is no duration or is longer than ten years. */
export function parseDuration(text: string): number | null {
  if (text.length > MAX_LENGTH || !WHOLE.test(text)) return null;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(PART)) total += Number(amount) * UNIT_MS[unit as Unit];
  return total <= MAX_MS ? Math.round(total) : null;
}

/** The shortest form, largest unit first: `1h30m`, `300ms`, `0s`. Takes whole, non-negative milliseconds. */
export function formatDuration(ms: number): string {
  let rest = ms;
  let text = "";
  for (const [unit, size] of Object.entries(UNIT_MS)) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) text += `${count}${unit}`;
  }
  return text || "0s";
}
