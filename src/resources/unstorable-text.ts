// Texts that JSON, YAML and API servers let through and PostgreSQL cannot store: those with a NUL in them.
import type { Issue } from "./issue.ts";

/** One issue a text, wherever it is in `value`; `field` is the place of `value`. */
export function unstorableTexts(value: unknown, field: string): Issue[] {
  if (typeof value === "string") return value.includes("\0") ? [{ field, message: "must not contain a NUL character" }] : [];
  if (Array.isArray(value)) return value.flatMap((item, index) => unstorableTexts(item, `${field}[${index}]`));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, each]) => unstorableTexts(each, `${field}.${name}`));
}
