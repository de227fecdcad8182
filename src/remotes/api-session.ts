// Requests to a provider's API, made for its client library: with the credential for that API alone. Decides what is followed
// (redirects within the origin), what is repeated (reads, and a request whose token had ended) and how often. Libraries get no
// say in any of it. What is not a read is sent once: whether it was done is for the caller to find out.
import type { Random } from "../domain/clock.ts";
import { CoregitError } from "../domain/errors.ts";
import type { Wait } from "./api-budget.ts";
import { followed } from "./api-redirect.ts";
import { type ApiRequest, ApiWire, type ApiWireOptions } from "./api-wire.ts";
import { repeated } from "./repeat.ts";

/** A token in place of `refused`, which the provider has just answered with 401; null: there is no other. */
export type RenewToken = (refused: string, signal: AbortSignal) => Promise<string | null>;

export type ApiSessionOptions = ApiWireOptions & {
  /** Root of the API. */
  readonly url: URL;
  readonly userAgent: string;
  readonly random: Random;
  readonly wait: Wait;
  /** null: the token is the only one. */
  readonly renewToken: RenewToken | null;
  /** Releases what the session was opened with. */
  readonly close: () => Promise<void>;
};

/** As much of `fetch` as client libraries use. */
export type ApiFetch = (
  url: string | URL,
  init?: { readonly method?: string; readonly headers?: Readonly<Record<string, string>>; readonly body?: string | null },
) => Promise<Response>;

/** How often a token is renewed for one request: once because it had ended, once more because the new one had not come round. */
const MAX_RENEWALS = 2;

/** A conversation with one API. Holds no connection that outlives its disposal. */
export class ApiSession implements AsyncDisposable {
  readonly #options: ApiSessionOptions;
  readonly #wire: ApiWire;
  /** Tokens that were renewed, by the one that the session was given. */
  readonly #renewed = new Map<string, string>();

  constructor(options: ApiSessionOptions) {
    this.#options = options;
    this.#wire = new ApiWire(options);
  }

  get url(): URL {
    return this.#options.url;
  }

  /** Requests made so far. */
  get calls(): number {
    return this.#wire.calls;
  }

  get signal(): AbortSignal {
    return this.#options.signal;
  }

  now(): number {
    return this.#options.now();
  }

  /** How far the provider's clock is ahead of ours, as its last answer told, to the second. */
  get clockOffsetMs(): number {
    return this.#wire.clockOffsetMs;
  }

  /** Resolves after a moment, or when the session's signal is aborted. */
  async pause(ms: number): Promise<void> {
    await this.#options.wait(ms, this.signal).catch(() => undefined);
  }

  /**
   * A `fetch` that sends `headers` with each request. It rejects with a CoregitError, whatever went wrong. Reads are repeated after
   * a broken connection or a 5xx; see `repeat` for other requests.
   */
  fetchWith(headers: Readonly<Record<string, string>>): ApiFetch {
    return async (url, init = {}) => {
      const own = { ...Object.fromEntries(new Headers(init.headers)), ...headers, "user-agent": this.#options.userAgent };
      const request = { method: init.method ?? "GET", url: this.#sameOrigin(url), headers: own, body: init.body ?? null };
      return followed(request, (next) => this.#letIn(next));
    };
  }

  /**
   * Runs a request that may be repeated although it is no read, such as one that makes an object named by its content: again, after
   * a back-off, when it failed with `RemoteUnreachable`. Never for what moves a branch or makes a webhook.
   */
  repeat<T>(request: () => Promise<T>): Promise<T> {
    return repeated(request, this.#pace);
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
    await this.#options.close();
  }

  get #pace() {
    const { random, wait, now, signal } = this.#options;
    return { random, wait, now, signal };
  }

  #sameOrigin(url: string | URL): URL {
    const asked = new URL(url);
    if (asked.origin === this.url.origin) return asked;
    throw new CoregitError("RedirectRefused", `${this.url.host} refers to another origin, to which the credential is not sent.`);
  }

  /** A 401 says that nothing was done, so that any request may be sent again with another token. */
  async #letIn(request: ApiRequest): Promise<Response> {
    const { renewToken, signal } = this.#options;
    const given = /^Bearer (.*)$/.exec(request.headers.authorization ?? "")?.[1];
    if (renewToken === null || given === undefined) return this.#send(request);
    for (let renewals = 0; ; renewals += 1) {
      const token = this.#renewed.get(given) ?? given;
      const response = await this.#send({ ...request, headers: { ...request.headers, authorization: `Bearer ${token}` } });
      if (response.status !== 401 || renewals === MAX_RENEWALS) return response;
      const renewed = await renewToken(token, signal);
      if (renewed === null) return response;
      this.#renewed.set(given, renewed);
    }
  }

  #send(request: ApiRequest): Promise<Response> {
    const isRead = request.method === "GET" || request.method === "HEAD";
    return isRead ? repeated(() => this.#wire.send(request), this.#pace) : this.#wire.send(request);
  }
}
