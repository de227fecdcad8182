// The smallest JSON merge patch (RFC 7386) that turns one document into another, or nothing when they are equal: what is
// not written wakes nobody.
import { isDeepStrictEqual } from "node:util";

type JsonObject = Readonly<Record<string, unknown>>;

/** null: nothing to write. Lists are replaced as a whole; `undefined` and null both mean absent. */
export function mergePatch(current: JsonObject, desired: JsonObject): JsonObject | null {
  const keys = [...new Set([...Object.keys(current), ...Object.keys(desired)])];
  const changes = keys
    .map((key) => [key, changeOf(current[key] ?? null, desired[key] ?? null)] as const)
    .filter(([, change]) => change !== undefined);
  return changes.length === 0 ? null : Object.fromEntries(changes);
}

/** undefined: equal. */
function changeOf(before: unknown, after: unknown): unknown {
  if (isObject(before) && isObject(after)) return mergePatch(before, after) ?? undefined;
  return isDeepStrictEqual(before, after) ? undefined : after;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
