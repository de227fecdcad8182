// Validation rules that are written once and enforced twice: as CEL by the API server (x-kubernetes-validations) and as a
// predicate wherever a manifest is read without one. A rule's two halves must agree; a test proves it on a real API server.
import type { z } from "zod";

export type Rule<T> = {
  /** CEL over `self`. */
  readonly rule: string;
  /** A sentence without the field's name, which both readers put in front. */
  readonly message: string;
  readonly holds: (self: T) => boolean;
};

/** A rule over a whole resource. */
export type ResourceRule<R> = Rule<R> & {
  /** The field that is to blame, as `spec.branch`. */
  readonly field: string;
};

/** A rule that a change must keep; CEL also knows `oldSelf`. */
export type TransitionRule<R> = {
  readonly rule: string;
  readonly message: string;
  readonly field: string;
  readonly holds: (self: R, oldSelf: R) => boolean;
};

/** A CEL raw string. JavaScript's and RE2's syntax are the same for what is used here, but for the escaped slash. */
function celPattern(pattern: RegExp): string {
  return `r'${pattern.source.replaceAll("\\/", "/")}'`;
}

export function celMatches(expression: string, pattern: RegExp): string {
  return `${expression}.matches(${celPattern(pattern)})`;
}

export function matching(pattern: RegExp, message: string): Rule<string> {
  return { rule: celMatches("self", pattern), message, holds: (self) => pattern.test(self) };
}

export function notMatching(pattern: RegExp, message: string): Rule<string> {
  return { rule: `!${celMatches("self", pattern)}`, message, holds: (self) => !pattern.test(self) };
}

/** `schema` with `rules` checked after its own checks and recorded for the CRD. */
export function withRules<S extends z.ZodType>(schema: S, rules: readonly Rule<z.output<S>>[]): S {
  const checked = schema.superRefine((value, context) => {
    for (const { message, holds } of rules) {
      if (!holds(value)) context.addIssue({ code: "custom", message });
    }
  });
  return checked.meta({ "x-kubernetes-validations": rules.map(({ rule, message }) => ({ rule, message })) });
}
