// Refusals and failures in the document. Those with one code are the same wherever they occur, the others belong to a route.
import { apiCode, ERROR_CODES, type ErrorCode } from "../../domain/errors.ts";
import { problemAnswer } from "../answers/problem.ts";
import type { Components } from "./components.ts";
import { type AnswerHeader, headersWith } from "./headers.ts";
import type { Json } from "./json-schema.ts";

/** Components that are not called by the one code that they have. */
const NAMES: Readonly<Record<number, string>> = {
  414: "AddressTooLong",
  415: "ContentTypeNotTaken",
  431: "HeadersTooLarge",
  500: "Failure",
  503: "Unavailable",
};

const DESCRIPTIONS: Readonly<Record<number, string>> = {
  414: "A part of the address is too long.",
  415: "The body has a content type other than application/json.",
  431: "The address and the headers are larger than 16 KiB together.",
  500: "A defect, damaged storage, or a server that is stopping; not the caller's to prevent.",
  503: "The database or the blob store cannot be reached; what was asked for may have happened.",
};

const MORE_HEADERS: Readonly<Record<number, readonly AnswerHeader[]>> = { 416: ["Content-Range"], 429: ["Retry-After"] };

export type ProblemResponse = { readonly status: number; readonly codes: readonly ErrorCode[] };

/** `operation` names what is this operation's own. */
export function problemResponse(components: Components, operation: string, problem: ProblemResponse): Json {
  const { status, codes } = problem;
  const own = `${operation}${status}`;
  const name = NAMES[status] ?? (codes.length === 1 ? (codes[0] ?? own) : own);
  return components.share("responses", name, () => {
    const allOf = [components.schemas.convert(problemAnswer, "output"), { properties: { code: { enum: codes.map(apiCode) } } }];
    return { ...problemHead(problem), content: { "application/json": { schema: { allOf } } } };
  });
}

/** The same without content, as HEAD is answered. */
export function problemHead({ status, codes }: ProblemResponse): Json {
  const meanings = codes.map((code) => `\`${apiCode(code)}\`: ${ERROR_CODES[code].meaning}`);
  return { description: DESCRIPTIONS[status] ?? meanings.join("\n\n"), headers: headersWith(...(MORE_HEADERS[status] ?? [])) };
}
