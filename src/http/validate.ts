// Checks what a request brings against its zod schema and says what is wrong in one sentence that names the field.
import type { z } from "zod";
import { CoregitError } from "../domain/errors.ts";
import { toIssues } from "../resources/issue.ts";

export type RequestPart = "address" | "query" | "body";

/** `value` as `schema` has it, defaults applied. @throws CoregitError `InvalidRequest` with `details.field`. */
export function validate<S extends z.ZodType>(schema: S, value: unknown, part: RequestPart): z.output<S> {
  const result = schema.safeParse(value ?? {}, { reportInput: true });
  if (result.success) return result.data;
  const [issue] = toIssues(result.error, () => []);
  const field = issue?.field ?? "";
  const subject = field === "" ? `The ${part}` : `${field} in the ${part}`;
  const sentence = `${subject} ${issue?.message ?? "is not valid"}.`;
  throw new CoregitError("InvalidRequest", sentence, field === "" ? {} : { details: { field } });
}
