// Requests to a provider's API, made for its client library: through the guarded dispatcher, with the credential for that API
// alone, a deadline on each attempt and a limit on each answer. Libraries get no say in redirects and repeat nothing.
import type { Dispatcher } from "undici";
import { CoregitError } from "../domain/errors.ts";
import { abortFailure, requestFailure } from "./git/errors.ts";

export type ApiSessionOptions = {
  readonly dispatcher: Dispatcher;
  /** Root of the API. */
  readonly url: URL;
  readonly userAgent: string;
  /** One attempt, with its whole answer. */
  readonly attemptMs: number;
  readonly answerBytes: number;
  /** Wall clock, epoch milliseconds. */
  readonly now: () => number;
  /** Ends all that the session asks. */
  readonly signal: AbortSignal;
};

/** As much of `fetch` as client libraries use. */
export type ApiFetch = (
  url: string | URL,
  init?: { readonly method?: string; readonly headers?: Readonly<Record<string, string>>; readonly body?: string | null },
) => Promise<Response>;

/** A conversation with one API. Holds no connection that outlives its disposal. */
export class ApiSession implements AsyncDisposable {
  readonly #options: ApiSessionOptions;

  constructor(options: ApiSessionOptions) {
    this.#options = options;
  }

  get url(): URL {
    return this.#options.url;
  }

  get signal(): AbortSignal {
    return this.#options.signal;
  }

  now(): number {
    return this.#options.now();
  }

  /** A `fetch` that sends `headers` with each request. It rejects with a CoregitError, whatever went wrong. */
  fetchWith(headers: Readonly<Record<string, string>>): ApiFetch {
    return async (url, init = {}) => {
      const asked = new URL(url);
      if (asked.origin !== this.url.origin) {
        throw new CoregitError(
          "RedirectRefused",
          `${this.url.host} refers to another origin, to which the credential is not sent.`,
        );
      }
      const sent = { ...Object.fromEntries(new Headers(init.headers)), ...headers, "user-agent": this.#options.userAgent };
      return this.#send(asked, { method: init.method ?? "GET", headers: sent, body: init.body ?? null });
    };
  }

  /** Resolves when a server answers, whatever it answers, and without a credential. @throws CoregitError as its requests. */
  async reach(url: URL): Promise<void> {
    try {
      await this.fetchWith({})(url, { method: "HEAD" });
    } catch (error) {
      if (!(error instanceof CoregitError) || error.code !== "RedirectRefused") throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#options.dispatcher.destroy();
  }

  async #send(url: URL, request: Pick<Dispatcher.RequestOptions, "headers" | "body"> & { method: string }): Promise<Response> {
    const { dispatcher, attemptMs, signal } = this.#options;
    if (signal.aborted) throw abortFailure(signal);
    const deadline = AbortSignal.timeout(attemptMs);
    try {
      const answer = await dispatcher.request({
        ...request,
        method: request.method as Dispatcher.HttpMethod,
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        signal: AbortSignal.any([signal, deadline]),
      });
      return await this.#toResponse(answer);
    } catch (error) {
      if (deadline.aborted && !signal.aborted) {
        throw new CoregitError("RemoteTooSlow", `${url.host} did not answer within ${attemptMs} ms.`, { cause: error });
      }
      throw requestFailure(error, url.host, signal);
    }
  }

  async #toResponse({ statusCode: status, headers, body }: Dispatcher.ResponseData): Promise<Response> {
    if (status >= 300 && status < 400 && status !== 304) {
      await body.dump();
      throw new CoregitError(
        "RedirectRefused",
        `${this.url.host} redirects its API (HTTP ${status}); use the address that it has now.`,
      );
    }
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > this.#options.answerBytes) {
        throw new CoregitError("RemoteProtocol", `${this.url.host} answered more than ${this.#options.answerBytes} bytes.`);
      }
      chunks.push(chunk);
    }
    const hasBody = status !== 204 && status !== 205 && status !== 304;
    return new Response(hasBody ? Buffer.concat(chunks) : null, { status, headers: plainHeaders(headers) });
  }
}

function plainHeaders(headers: Dispatcher.ResponseData["headers"]): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(", ") : value]],
    ),
  );
}
