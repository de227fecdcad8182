// Checks what a request brings against its zod schema and says what is wrong in one sentence that names the field.
import type { z } from "zod";
import { CoregitError } from "../domain/errors.ts";
import { displayPath, toGitPath } from "../domain/path-rules.ts";
import { toIssues } from "../resources/issue.ts";

export type RequestPart = "address" | "query" | "body";

/** `value` as `schema` has it, defaults applied. @throws CoregitError `InvalidRequest` with `details.field`. */
export function validate<S extends z.ZodType>(schema: S, value: unknown, part: RequestPart): z.output<S> {
  const result = schema.safeParse(value === undefined ? {} : value, { reportInput: true });
  if (result.success) return result.data;
  const [issue] = toIssues(result.error, () => []);
  const field = issue?.field ?? "";
  const path = entryPath(value, result.error.issues[0]?.path ?? []);
  const name = path === null ? field : `${field} (${path})`;
  const subject = field === "" ? `The ${part}` : `${name} in the ${part}`;
  const sentence = `${subject} ${issue?.message ?? "is not valid"}.`;
  const details = path === null ? { field } : { field, path };
  throw new CoregitError("InvalidRequest", sentence, field === "" ? {} : { details });
}

const SHOWN_PATH_LENGTH = 200;

/** The file that an entry of a list is about, when the problem lies in such an entry; null: it does not. */
function entryPath(value: unknown, [list, index]: readonly PropertyKey[]): string | null {
  const entry = typeof index === "number" ? property(property(value, list), index) : null;
  const path = property(entry, "path");
  return typeof path === "string" ? displayPath(toGitPath(path.slice(0, SHOWN_PATH_LENGTH))) : null;
}

function property(value: unknown, key: PropertyKey | undefined): unknown {
  if (typeof value !== "object" || value === null || key === undefined || !Object.hasOwn(value, key)) return null;
  return (value as Readonly<Record<PropertyKey, unknown>>)[key];
}
