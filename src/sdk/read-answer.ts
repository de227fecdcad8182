// From an answer's body to data, or to the error that it tells.
import { type ApiErrorCode, CoregitApiError, type ErrorDetails } from "./api-error.ts";

/** Thrown by readers of answers, and made a result by calls.ts. */
export class UnexpectedAnswer extends TypeError {
  readonly error: CoregitApiError;

  constructor(response: Response, problem: string) {
    const message = `What answers is not Coregit: status ${response.status} with ${problem}.`;
    super(message);
    this.error = new CoregitApiError(message, { code: "UNEXPECTED_ANSWER", ...factsOf(response) });
  }
}

/** An object of JSON. @throws UnexpectedAnswer. */
export async function readJson<T extends object>(response: Response): Promise<T> {
  const answer = parseObject(await response.text());
  if (answer === null) throw new UnexpectedAnswer(response, "a body that is not a JSON object");
  // The shape is the server's promise, which tests hold it to.
  return answer as T;
}

/** What an answer outside 2xx says. */
export async function refusalOf(response: Response): Promise<CoregitApiError> {
  const facts = factsOf(response);
  if (response.status === 304) return new CoregitApiError("Not modified.", { code: "NOT_MODIFIED", ...facts });
  const { error, code, ...details } = parseObject(await response.text()) ?? {};
  if (typeof error !== "string" || typeof code !== "string") {
    return new UnexpectedAnswer(response, "no error that this client understands").error;
  }
  return new CoregitApiError(error, { code: code as ApiErrorCode, ...facts, details: details as ErrorDetails });
}

function parseObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function factsOf({ status, headers }: Response) {
  return { status, requestId: headers.get("x-request-id"), retryAfterSeconds: secondsToWait(headers.get("retry-after")) };
}

/** Retry-After is a number of seconds, or the time as a date. */
export function secondsToWait(retryAfter: string | null, nowMs = Date.now()): number | null {
  if (retryAfter === null) return null;
  if (/^\d+$/.test(retryAfter)) return Number(retryAfter);
  const atMs = Date.parse(retryAfter);
  return Number.isNaN(atMs) ? null : Math.max(0, Math.ceil((atMs - nowMs) / 1000));
}
