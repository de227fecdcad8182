// The one error of this folder: what the API server refused, or that it gave no answer. Callers branch on the status and
// the reason, never on the message.

export type ApiErrorFacts = {
  /** HTTP status; null when there was no complete answer. */
  readonly status: number | null;
  /** The reason of the server's Status object, or `Unreachable`, `DeadlineExceeded`, `Silent`, `Truncated`, `Malformed`, `TooLarge`. */
  readonly reason: string;
  readonly message: string;
  /** How long the server asks to wait; null when it does not say. */
  readonly retryAfterMs?: number | null;
  readonly cause?: unknown;
};

export class KubeApiError extends Error {
  override readonly name = "KubeApiError";
  readonly status: number | null;
  readonly reason: string;
  readonly retryAfterMs: number | null;

  constructor(facts: ApiErrorFacts) {
    super(facts.message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.status = facts.status;
    this.reason = facts.reason;
    this.retryAfterMs = facts.retryAfterMs ?? null;
  }
}

export function hasStatus(error: unknown, status: number): boolean {
  return error instanceof KubeApiError && error.status === status;
}

/** An answer that refuses, as an error. `body` is the text of the answer: a Status object, or whatever a proxy says. */
export function refusal(status: number, retryAfter: string | undefined, body: string): KubeApiError {
  const parsed = parseStatus(body);
  return new KubeApiError({
    status,
    reason: parsed.reason ?? `HTTP${status}`,
    message: parsed.message ?? `the API server answered ${status}`,
    retryAfterMs: parseRetryAfter(retryAfter) ?? parsed.retryAfterMs,
  });
}

/** The Status object of an ERROR event in a watch, as an error. */
export function statusError(object: unknown): KubeApiError {
  const code = isRecord(object) && typeof object.code === "number" ? object.code : 500;
  return refusal(code, undefined, JSON.stringify(object));
}

type StatusFacts = { readonly reason: string | null; readonly message: string | null; readonly retryAfterMs: number | null };

function parseStatus(body: string): StatusFacts {
  const value = parseJson(body);
  if (!isRecord(value) || value.kind !== "Status") return { reason: null, message: null, retryAfterMs: null };
  const seconds = isRecord(value.details) ? value.details.retryAfterSeconds : null;
  return {
    reason: typeof value.reason === "string" && value.reason !== "" ? value.reason : null,
    message: typeof value.message === "string" ? value.message : null,
    retryAfterMs: typeof seconds === "number" ? seconds * 1000 : null,
  };
}

function parseRetryAfter(header: string | undefined): number | null {
  return header !== undefined && /^\d{1,6}$/.test(header) ? Number(header) * 1000 : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
