// The smallest JSON merge patch (RFC 7386) that turns one document into another, or nothing when they are equal: what is
// not written wakes nobody.
import { isDeepStrictEqual } from "node:util";

type JsonObject = Readonly<Record<string, unknown>>;

/** null: nothing to write. Lists are replaced as a whole; `undefined` and null both mean absent. */
export function mergePatch(current: JsonObject, desired: JsonObject): JsonObject | null {
  const patch: Record<string, unknown> = {};
  for (const key of new Set([...Object.keys(current), ...Object.keys(desired)])) {
    const before = current[key] ?? null;
    const after = desired[key] ?? null;
    const change = isObject(before) && isObject(after) ? mergePatch(before, after) : replacement(before, after);
    if (change !== undefined && !(change === null && isObject(before) && isObject(after))) patch[key] = change;
  }
  return Object.keys(patch).length === 0 ? null : patch;
}

/** undefined: equal. */
function replacement(before: unknown, after: unknown): unknown {
  return isDeepStrictEqual(before, after) ? undefined : after;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
