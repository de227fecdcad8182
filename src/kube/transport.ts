// One HTTP exchange with the API server: credentials and connections from the kubeconfig, a deadline, a size limit, and
// failures as KubeApiError. Knows nothing of kinds.
import {
  HttpMethod,
  IsomorphicFetchHttpLibrary,
  type KubeConfig,
  RequestContext,
  type ResponseContext,
} from "@kubernetes/client-node";
import { CoregitError } from "../domain/errors.ts";
import { KubeApiError, refusal } from "./api-error.ts";
import { Deadline } from "./deadline.ts";
import { shareConnections } from "./kube-config.ts";
import { systemTimers, type Timers } from "./timers.ts";

export type KubeRequest = {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Of the body; default `application/json`. */
  readonly contentType?: string;
  readonly signal?: AbortSignal;
  /** For the whole exchange; default `CALL_TIMEOUT_MS`. */
  readonly timeoutMs?: number;
};

/** As long as a client may wait before a stuck server is taken for dead. */
export const CALL_TIMEOUT_MS = 30_000;
/** A page of 500 objects of the largest size that etcd takes (1.5 MB) is not expected; 64 MB is. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;
const MAX_ERROR_BYTES = 64 * 1024;

export class KubeTransport implements AsyncDisposable {
  readonly #config: KubeConfig;
  readonly #server: string;
  readonly #userAgent: string;
  readonly #timers: Timers;
  readonly #connections: AsyncDisposable;
  readonly #disposal = new AbortController();
  readonly #http = new IsomorphicFetchHttpLibrary();

  /** `timers` measure the deadlines. */
  constructor(config: KubeConfig, userAgent: string, timers: Timers = systemTimers) {
    const cluster = config.getCurrentCluster();
    if (cluster === null) throw new CoregitError("InvalidSpec", "The kubeconfig names no current cluster.");
    this.#config = config;
    this.#server = cluster.server.replace(/\/+$/, "");
    this.#userAgent = userAgent;
    this.#timers = timers;
    this.#connections = shareConnections(config);
  }

  /** The answer's JSON. @throws KubeApiError */
  async call(request: KubeRequest): Promise<unknown> {
    const given = request.signal === undefined ? [] : [request.signal];
    using deadline = new Deadline(this.#timers, request.timeoutMs ?? CALL_TIMEOUT_MS, [...given, this.#disposal.signal]);
    const { signal } = deadline;
    const response = await this.#send(request, signal);
    const text = await readText(response, MAX_BODY_BYTES, signal);
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new KubeApiError({ status: null, reason: "Malformed", message: "the API server answered no JSON", cause });
    }
  }

  /** The answer's bytes as they arrive, until `signal` aborts or the server ends them. @throws KubeApiError */
  async stream(request: KubeRequest, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    // A server that takes a watch says so at once, whenever its first event comes.
    using headers = new Deadline(this.#timers, CALL_TIMEOUT_MS, []);
    const response = await this.#send(request, AbortSignal.any([signal, this.#disposal.signal, headers.signal]));
    const body = response.body.stream();
    if (body === null) throw new KubeApiError({ status: null, reason: "Truncated", message: "the API server sent no body" });
    return body;
  }

  /** Gives up what is in progress, then closes the connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposal.abort();
    await this.#connections[Symbol.asyncDispose]();
  }

  async #send(request: KubeRequest, signal: AbortSignal): Promise<ResponseContext> {
    const context = new RequestContext(`${this.#server}${request.path}`, HttpMethod[request.method]);
    for (const [name, value] of Object.entries(request.query ?? {})) context.setQueryParam(name, value);
    context.setHeaderParam("Accept", "application/json");
    context.setHeaderParam("User-Agent", this.#userAgent);
    if (request.body !== undefined) {
      context.setHeaderParam("Content-Type", request.contentType ?? "application/json");
      context.setBody(JSON.stringify(request.body));
    }
    context.setSignal(signal);
    const response = await this.#exchange(context, signal);
    if (response.httpStatusCode < 300) return response;
    const text = await readText(response, MAX_ERROR_BYTES, signal).catch(() => "");
    throw refusal(response.httpStatusCode, response.headers["retry-after"], text);
  }

  async #exchange(context: RequestContext, signal: AbortSignal): Promise<ResponseContext> {
    try {
      signal.throwIfAborted();
      await this.#config.applySecurityAuthentication(context);
      return await this.#http.send(context).toPromise();
    } catch (cause) {
      throw noAnswer(cause, signal);
    }
  }
}

async function readText(response: ResponseContext, limitBytes: number, signal: AbortSignal): Promise<string> {
  const body = response.body.stream();
  if (body === null) return "";
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of body) {
      size += chunk.byteLength;
      if (size > limitBytes) break;
      chunks.push(chunk);
    }
  } catch (cause) {
    throw noAnswer(cause, signal);
  }
  if (size <= limitBytes) return Buffer.concat(chunks).toString("utf8");
  throw new KubeApiError({ status: null, reason: "TooLarge", message: `the API server answered more than ${limitBytes} bytes` });
}

/** What the HTTP library threw, by what happened: the deadline, the caller, or the connection. */
export function noAnswer(cause: unknown, signal: AbortSignal): KubeApiError {
  if (cause instanceof KubeApiError) return cause;
  if (signal.reason instanceof KubeApiError) return signal.reason;
  if (signal.aborted && signal.reason instanceof DOMException && signal.reason.name === "TimeoutError") {
    return new KubeApiError({
      status: null,
      reason: "DeadlineExceeded",
      message: "the API server did not answer in time",
      cause,
    });
  }
  if (signal.aborted) return new KubeApiError({ status: null, reason: "Aborted", message: "the call was given up", cause });
  return new KubeApiError({
    status: null,
    reason: "Unreachable",
    message: "no connection to the API server, or it broke off",
    cause,
  });
}
