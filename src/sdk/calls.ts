// One request and its result. The one place that calls fetch and that turns whatever happens into a Result.
import { addressOf, type Target } from "./address.ts";
import { CoregitApiError } from "./api-error.ts";
import { type Deadline, startDeadline } from "./deadline.ts";
import { readJson, refusalOf, UnexpectedAnswer } from "./read-answer.ts";
import type { Failure, RequestOptions, Result } from "./result.ts";

export type FetchFunction = (url: string, init: RequestInit) => Promise<Response>;

export type ApiRequest = Target & {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly options: RequestOptions | undefined;
};

/** Both resolve in any case; they throw TypeError only for a body that is no JSON and for a senseless timeout. */
export interface Calls {
  /** For answers of JSON, whose shape the caller states. */
  json<T extends object>(request: ApiRequest): Promise<Result<T>>;
  /** For all others: `read` takes what was asked for from an answer that is no refusal. */
  read<T>(request: ApiRequest, read: (response: Response) => Promise<T>): Promise<Result<T>>;
}

export type Server = {
  readonly apiKey: string;
  /** Without a slash at its end. */
  readonly baseUrl: string;
  readonly fetch: FetchFunction;
  readonly timeoutMs: number | undefined;
};

export function createCalls(server: Server): Calls {
  // Called by itself: a browser's fetch refuses to be a method of anything.
  const { fetch } = server;
  const read: Calls["read"] = async (request, readAnswer) => {
    const address = addressOf(server.baseUrl, request);
    if ("refusal" in address) return failed(new CoregitApiError(address.refusal, { code: "INVALID_REQUEST", status: 0 }), null);
    const init = initOf(server.apiKey, request);
    const { signal, timeoutMs = server.timeoutMs } = request.options ?? {};
    const deadline = startDeadline(signal, timeoutMs);
    const ask = () => fetch(address.url, { ...init, signal: deadline.signal });
    return await exchange(ask, readAnswer, { deadline, signal });
  };
  return { read, json: <T extends object>(request: ApiRequest) => read(request, readJson<T>) };
}

type Ends = { readonly deadline: Deadline; readonly signal: AbortSignal | undefined };

async function exchange<T>(
  ask: () => Promise<Response>,
  read: (response: Response) => Promise<T>,
  { deadline, signal }: Ends,
): Promise<Result<T>> {
  let response: Response | null = null;
  try {
    response = await ask();
    const { headers, status } = response;
    if (!response.ok) return failed(await refusalOf(response), headers);
    return { data: await read(response), error: null, status, headers };
  } catch (cause) {
    const facts = { isAborted: signal?.aborted === true, hasPassed: deadline.hasPassed(), status: response?.status ?? 0 };
    return failed(errorOf(cause, facts), response?.headers ?? null);
  } finally {
    deadline.lift();
  }
}

function initOf(apiKey: string, { method, body, headers }: ApiRequest): RequestInit {
  const json = body === undefined ? undefined : JSON.stringify(body);
  const type = json === undefined ? {} : { "content-type": "application/json" };
  return {
    method,
    headers: { ...headers, ...type, "x-api-key": apiKey },
    // A redirect would take the key to where it leads.
    redirect: "error",
    credentials: "omit",
    ...(json === undefined ? {} : { body: json }),
  };
}

type Circumstances = { readonly isAborted: boolean; readonly hasPassed: boolean; readonly status: number };

function errorOf(cause: unknown, { isAborted, hasPassed, status }: Circumstances): CoregitApiError {
  if (cause instanceof UnexpectedAnswer) return cause.error;
  const facts = { status, cause };
  if (isAborted) return new CoregitApiError("The call was aborted.", { code: "ABORTED", ...facts });
  if (hasPassed) return new CoregitApiError("The server did not answer in time.", { code: "DEADLINE_EXCEEDED", ...facts });
  const message = "The server cannot be reached, or the connection broke off.";
  return new CoregitApiError(message, { code: "NETWORK_ERROR", ...facts });
}

function failed(error: CoregitApiError, headers: Headers | null): Failure {
  return { data: null, error, status: error.status, headers };
}
