// What every call of the client resolves to. A refusal of the server, a connection that fails, a timeout and an abort are
// results, never exceptions; only a call that no program should make (a key that is no text) throws TypeError.
import type { CoregitApiError } from "./api-error.ts";

export type Success<T> = {
  readonly data: T;
  readonly error: null;
  /** HTTP status of the answer. */
  readonly status: number;
  readonly headers: Headers;
};

export type Failure = {
  readonly data: null;
  readonly error: CoregitApiError;
  /** HTTP status of the answer; 0 when there was none: nothing was sent, or nothing came back. */
  readonly status: number;
  readonly headers: Headers | null;
};

/** `if (error) …` tells the two apart, also after `const { data, error } = await …`. */
export type Result<T> = Success<T> | Failure;

/** What any call takes as its last argument. */
export type RequestOptions = {
  /** Aborting it ends the call with code `ABORTED`. The server may have done what was asked all the same. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until the call ends with code `DEADLINE_EXCEEDED`, its answer's body included. Default: the client's. */
  readonly timeoutMs?: number | undefined;
};
