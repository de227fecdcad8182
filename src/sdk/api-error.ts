// The one error of the client: what the server refused, or why there is no answer.
import type { ServerErrorCode } from "./server-error-codes.ts";

/** Codes of the client itself, for calls without an answer that could be used. */
export type ClientErrorCode =
  /** No connection, or it broke off; `cause` has the runtime's own error. */
  | "NETWORK_ERROR"
  /** The caller's signal aborted. */
  | "ABORTED"
  /** `timeoutMs` passed. */
  | "DEADLINE_EXCEEDED"
  /** What answered is not Coregit: a proxy's page, or a body that is no JSON. */
  | "UNEXPECTED_ANSWER"
  /** 304: what `ifNoneMatch` names is still true. */
  | "NOT_MODIFIED";

/** A newer server may send codes that are not listed here; they arrive as they are. */
export type ApiErrorCode = ServerErrorCode | ClientErrorCode;

/** What an answer says beside its sentence and code; each code has its own. */
export type ErrorDetails = {
  /** Which part of the request is wrong, for example `changes[3]`. */
  readonly field?: string;
  /** The file that it is about. */
  readonly path?: string;
  /** The full name of the ref that it is about. */
  readonly ref?: string;
  /** The ref that leaves no room for it. */
  readonly conflicting?: string;
  /** `REF_MOVED`: where the branch or ref is now; null: there is none. */
  readonly head_sha?: string | null;
  /** The protected branch that it is about, and the pattern that protects it. */
  readonly branch?: string;
  readonly pattern?: string;
  /** `MANAGED`: who declares it and alone may change it. */
  readonly managed_by?: string;
  /** The syncs that are in the way. */
  readonly syncs?: readonly string[];
  /** Bytes that there are, and that there may be. */
  readonly size?: number;
  readonly max_size?: number;
  /** The run that failed, and what it says: `paths` of a conflict. */
  readonly run_id?: string;
  readonly details?: Readonly<Record<string, unknown>>;
};

export type ApiErrorFacts = {
  readonly code: ApiErrorCode;
  readonly status: number;
  readonly requestId?: string | null;
  readonly retryAfterSeconds?: number | null;
  readonly details?: ErrorDetails;
  readonly cause?: unknown;
};

/** `message` is a sentence for people. An Error, so that `throw error` shows where it came from. */
export class CoregitApiError extends Error {
  override readonly name = "CoregitApiError";
  readonly code: ApiErrorCode;
  /** HTTP status; 0: there was no answer. */
  readonly status: number;
  /** Names the request in the server's log. */
  readonly requestId: string | null;
  /** Seconds to wait before trying again, where the server says. */
  readonly retryAfterSeconds: number | null;
  readonly details: ErrorDetails;

  constructor(message: string, facts: ApiErrorFacts) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = facts.code;
    this.status = facts.status;
    this.requestId = facts.requestId ?? null;
    this.retryAfterSeconds = facts.retryAfterSeconds ?? null;
    this.details = facts.details ?? {};
  }
}
