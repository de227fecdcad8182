// Checks what a request brings against its zod schema and says what is wrong in one sentence that names the field.
import { z } from "zod";
import { CoregitError } from "../domain/errors.ts";

export type RequestPart = "address" | "query" | "body";

/** `value` as `schema` has it, defaults applied. @throws CoregitError `InvalidRequest` with `details.field`. */
export function validate<S extends z.ZodType>(schema: S, value: unknown, part: RequestPart): z.output<S> {
  const result = schema.safeParse(value ?? {});
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const field = fieldOf(issue);
  const problem = issue === undefined ? "is not valid" : lowerFirst(issue.message);
  const subject = field === null ? `The ${part}` : `${field} in the ${part}`;
  throw new CoregitError("InvalidRequest", `${subject}: ${problem.replace(/\.$/, "")}.`, field === null ? {} : { details: { field } });
}

function fieldOf(issue: z.core.$ZodIssue | undefined): string | null {
  if (issue === undefined) return null;
  const path = issue.code === "unrecognized_keys" ? [...issue.path, ...issue.keys.slice(0, 1)] : issue.path;
  return path.length === 0 ? null : z.core.toDotPath(path);
}

function lowerFirst(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}
