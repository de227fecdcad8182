// What is wrong with a resource, field by field, in words for whoever wrote it.
import type { z } from "zod";
import { similarWord } from "../domain/similar-word.ts";

export type Issue = {
  /** As in the document: `spec.include[3]`; "" for the whole. */
  readonly field: string;
  /** What is wrong with it, as the rest of a sentence that begins with the field's name. */
  readonly message: string;
};

/** All issues as one sentence: `spec.remote must not have a query or a fragment; spec.direction …`. */
export function describeIssues(issues: readonly Issue[]): string {
  return issues.map(({ field, message }) => `${field === "" ? "the resource" : field} ${message}`).join("; ");
}

/** `known` answers which fields there are beside an unknown one. */
export function toIssues(error: z.ZodError, known: (path: readonly PropertyKey[]) => readonly string[]): Issue[] {
  return error.issues.flatMap((issue) =>
    issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => ({
          field: fieldName([...issue.path, key]),
          message: unknownField(key, known(issue.path)),
        }))
      : [{ field: fieldName(issue.path), message: describe(issue) }],
  );
}

export function fieldName(path: readonly PropertyKey[]): string {
  return path.reduce<string>((name, part) => {
    if (typeof part === "number") return `${name}[${part}]`;
    return name === "" ? String(part) : `${name}.${String(part)}`;
  }, "");
}

function unknownField(key: string, known: readonly string[]): string {
  const meant = similarWord(key, known);
  return `is not a field that Coregit knows${meant === null ? "" : `; did you mean ${meant}?`}`;
}

function describe(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return issue.input === undefined ? "is required" : `must be ${article(issue.expected)}`;
    case "invalid_value":
      return issue.input === undefined
        ? "is required"
        : `must be ${issue.values
            .map(String)
            .join(", ")
            .replace(/, ([^,]*)$/, " or $1")}`;
    case "too_big":
      return `must have at most ${issue.maximum} ${issue.origin === "array" ? "entries" : "characters"}`;
    case "too_small":
      return issue.origin === "string" ? "must not be empty" : `must be at least ${issue.minimum}`;
    default:
      return issue.message;
  }
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  boolean: "true or false",
  int: "a whole number",
  number: "a number",
  array: "a list",
  object: "a mapping",
  record: "a mapping",
  string: "a text; put it in quotes",
};

function article(expected: string): string {
  return TYPE_NAMES[expected] ?? expected;
}
