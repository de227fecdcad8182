// Smart HTTP (gitprotocol-http): the announcement by GET, commands by POST. Decides about redirects, about where the
// credential goes, and about what counts as an answer. Every connection passes the SSRF guard of the dispatcher.
import type { Dispatcher } from "undici";
import { CoregitError } from "../../domain/errors.ts";
import { type Asked, abortFailure, requestFailure, statusFailure } from "./errors.ts";
import type { Announcement, GitTransport } from "./transport.ts";

export type HttpClientOptions = {
  readonly dispatcher: Dispatcher;
  /** The repository, without a trailing slash. */
  readonly url: URL;
  /** Value of the Authorization header, for the origin of `url` only; null: anonymous. */
  readonly authorization: string | null;
  readonly userAgent: string;
  /** Wall clock, epoch milliseconds. */
  readonly now: () => number;
};

/** As git: only the first request of a conversation may be redirected (http.followRedirects=initial). */
const MAX_REDIRECTS = 5;
const INFO_REFS = "/info/refs";
const SERVICE_QUERY = "?service=git-upload-pack";
const ANNOUNCEMENT_TYPE = "application/x-git-upload-pack-advertisement";
const REQUEST_TYPE = "application/x-git-upload-pack-request";
const RESULT_TYPE = "application/x-git-upload-pack-result";

type Request = {
  readonly method: "GET" | "POST";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | null;
};

function below(base: URL, suffix: string): URL {
  return new URL(`${base.href.replace(/\/$/, "")}${suffix}`);
}

function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status);
}

function headerText(value: string | string[] | undefined): string {
  return Array.isArray(value) ? (value[0] ?? "") : (value ?? "");
}

function refuseRedirect(from: URL, reason: string): CoregitError {
  return new CoregitError("RedirectRefused", `${from.host} redirects ${reason}.`);
}

/** The base URL that a redirect of its info/refs leads to. @throws CoregitError `RedirectRefused`. */
function redirectedBase(from: URL, location: string): URL {
  if (!URL.canParse(location, from.href)) throw refuseRedirect(from, "to something that is no URL");
  const to = new URL(location, from.href);
  if (to.protocol !== "https:" && to.protocol !== "http:") throw refuseRedirect(from, "to another scheme than http and https");
  if (from.protocol === "https:" && to.protocol === "http:") throw refuseRedirect(from, "from https to http");
  if (to.username !== "" || to.password !== "") throw refuseRedirect(from, "to a URL with a credential in it");
  if (!to.pathname.endsWith(INFO_REFS) || to.search !== SERVICE_QUERY) {
    throw refuseRedirect(from, `to a page of ${to.host} that is no git repository; it may ask for a login`);
  }
  return new URL(to.pathname.slice(0, -INFO_REFS.length), to.origin);
}

export class HttpClient implements GitTransport {
  readonly #options: HttpClientOptions;
  #calls = 0;

  constructor(options: HttpClientOptions) {
    this.#options = options;
  }

  get calls(): number {
    return this.#calls;
  }

  async announce(signal: AbortSignal): Promise<Announcement> {
    let base = this.#options.url;
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
      const answer = await this.#askInfoRefs(base, redirects > 0, signal);
      if (!isRedirect(answer.statusCode)) {
        return { endpoint: base.href, bytes: await this.#bytesOf(answer, base, ANNOUNCEMENT_TYPE, signal) };
      }
      answer.body.destroy();
      base = redirectedBase(base, headerText(answer.headers.location));
    }
    throw refuseRedirect(base, `more than ${MAX_REDIRECTS} times`);
  }

  async request(endpoint: string, version: 0 | 2, body: Uint8Array, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const base = new URL(endpoint);
    const url = below(base, "/git-upload-pack");
    const headers = {
      "content-type": REQUEST_TYPE,
      accept: RESULT_TYPE,
      ...(version === 2 ? { "git-protocol": "version=2" } : {}),
    };
    const answer = await this.#send({ method: "POST", url, headers, body }, signal);
    if (!isRedirect(answer.statusCode)) return this.#bytesOf(answer, base, RESULT_TYPE, signal);
    answer.body.destroy();
    throw refuseRedirect(url, "a request that must not be redirected");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#options.dispatcher.destroy();
  }

  async #askInfoRefs(base: URL, isRedirected: boolean, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const url = below(base, `${INFO_REFS}${SERVICE_QUERY}`);
    const headers = { accept: "*/*", pragma: "no-cache", "git-protocol": "version=2" };
    try {
      return await this.#send({ method: "GET", url, headers, body: null }, signal);
    } catch (error) {
      if (!isRedirected || !(error instanceof CoregitError) || error.code !== "AddressRefused") throw error;
      throw new CoregitError("RedirectRefused", `The remote redirects to an address that is not allowed. ${error.message}`, {
        details: error.details,
        cause: error,
      });
    }
  }

  async #send({ method, url, headers, body }: Request, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    if (signal.aborted) throw abortFailure(signal);
    const { dispatcher, userAgent, authorization } = this.#options;
    this.#calls += 1;
    try {
      const answer = await dispatcher.request({
        method,
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        headers: {
          ...headers,
          "user-agent": userAgent,
          // Packs are compressed already; a coded answer would only widen what must be limited.
          "accept-encoding": "identity",
          ...(this.#credentialFor(url) === "sent" && authorization !== null ? { authorization } : {}),
        },
        body,
        signal,
      });
      // A body that is given up reports that as an error event of its own, when nobody is reading any more.
      answer.body.on("error", () => undefined);
      return answer;
    } catch (error) {
      throw requestFailure(error, url.host, signal);
    }
  }

  #credentialFor(url: URL): Asked["credential"] {
    if (this.#options.authorization === null) return "none";
    return url.origin === this.#options.url.origin ? "sent" : "withheld";
  }

  /** The body of an answer that is one. @throws CoregitError for every other answer. */
  async #bytesOf(
    answer: Dispatcher.ResponseData,
    base: URL,
    contentType: string,
    signal: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array>> {
    const bytes = readBody(answer.body, base.host, signal);
    if (answer.statusCode !== 200) {
      answer.body.destroy();
      const asked = { host: base.host, credential: this.#credentialFor(base), nowMs: this.#options.now() };
      throw statusFailure({ status: answer.statusCode, headers: answer.headers }, asked);
    }
    const actual = headerText(answer.headers["content-type"]).split(";")[0]?.trim().toLowerCase() ?? "";
    if (actual !== contentType) throw await wrongAnswer(bytes, base.host, actual);
    if (answer.headers["content-encoding"] === undefined || answer.headers["content-encoding"] === "identity") return bytes;
    answer.body.destroy();
    throw new CoregitError("RemoteProtocol", `${base.host} sent a compressed answer that was not asked for.`);
  }
}

async function* readBody(
  body: Dispatcher.ResponseData["body"],
  host: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  try {
    for await (const chunk of body) yield chunk;
  } catch (error) {
    throw requestFailure(error, host, signal);
  } finally {
    body.destroy();
  }
}

/** A server that only serves files is told apart from one that serves a page: its first line is `<oid> TAB <ref>`. */
async function wrongAnswer(bytes: AsyncGenerator<Uint8Array, void, void>, host: string, type: string): Promise<CoregitError> {
  const first = await bytes.next();
  await bytes.return();
  const start = first.done === true ? "" : Buffer.from(first.value).toString("latin1", 0, 41);
  if (/^[0-9a-f]{40}\t/.test(start)) {
    return new CoregitError(
      "RemoteUnsupported",
      `${host} serves the repository as plain files (dumb HTTP), which is not supported.`,
    );
  }
  const what = /^[\w.+/-]{1,100}$/.test(type) ? type : "something unnamed";
  return new CoregitError("RemoteProtocol", `${host} answered ${what} instead of git's protocol; the URL may name a web page.`);
}
