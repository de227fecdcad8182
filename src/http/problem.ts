// Any thrown value as an answer: status and `{ error, code }` plus the failure's details. The one place that decides what
// a caller learns of a failure. A defect is answered with a fixed sentence; its cause goes to the log only.
import { apiCode, CoregitError, ERROR_CODES, type ErrorCode, toCoregitError } from "../domain/errors.ts";

export type Problem = {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>> & { readonly error: string; readonly code: string };
};

export function problemOf(thrown: unknown): Problem {
  const error = frameworkError(thrown) ?? toCoregitError(thrown);
  const status = frameworkStatus(thrown) ?? ERROR_CODES[error.code].http;
  return { status, body: { ...error.details, error: error.message, code: apiCode(error.code) } };
}

/** Refusals that Fastify raises before a route runs, by its error code. */
const FRAMEWORK: Readonly<Record<string, readonly [status: number, code: ErrorCode, message: string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: [413, "BodyTooLarge", "The request body is larger than the limit."],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [415, "InvalidRequest", "The request body has a content type that this address does not take."],
  FST_ERR_CTP_EMPTY_JSON_BODY: [400, "InvalidRequest", "The request body is empty; send a JSON object."],
  FST_ERR_CTP_INVALID_JSON_BODY: [400, "InvalidRequest", "The request body is not valid JSON."],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [400, "InvalidRequest", "The request body does not have the announced length."],
  FST_ERR_BAD_URL: [400, "InvalidRequest", "The address is not a valid URL."],
  FST_ERR_MAX_PARAM_LENGTH: [414, "InvalidRequest", "A part of the address is too long."],
};

type FrameworkError = Error & { readonly code?: unknown; readonly statusCode?: unknown };

function frameworkEntry(thrown: unknown): (typeof FRAMEWORK)[string] | null {
  if (!(thrown instanceof Error) || thrown instanceof CoregitError) return null;
  const { code, statusCode } = thrown as FrameworkError;
  const known = typeof code === "string" ? FRAMEWORK[code] : undefined;
  if (known !== undefined) return known;
  const isRefusal = typeof statusCode === "number" && statusCode >= 400 && statusCode < 500;
  return isRefusal ? [statusCode, "InvalidRequest", "The request is malformed."] : null;
}

function frameworkError(thrown: unknown): CoregitError | null {
  const entry = frameworkEntry(thrown);
  return entry === null ? null : new CoregitError(entry[1], entry[2], { cause: thrown });
}

function frameworkStatus(thrown: unknown): number | null {
  return frameworkEntry(thrown)?.[0] ?? null;
}
