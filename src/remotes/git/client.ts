// Smart HTTP (gitprotocol-http): the announcement by GET, commands by POST. Decides about redirects, about where the
// credential goes, and about what counts as an answer. Every connection passes the SSRF guard of the dispatcher.
import { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import { CoregitError } from "../../domain/errors.ts";
import type { Provider } from "../../domain/sync-spec.ts";
import type { Tracer } from "../../domain/tracer.ts";
import type { ApiBudget } from "../api-budget.ts";
import { callSpan, noteStatus } from "../call-span.ts";
import { type Asked, requestFailure, statusFailure } from "./errors.ts";
import type { Announcement, GitRequest, GitSide, GitTransport } from "./transport.ts";

/** Another value of the Authorization header in place of the one that was refused; null: there is none. */
export type RenewAuthorization = (signal: AbortSignal) => Promise<string | null>;

export type HttpClientOptions = {
  readonly dispatcher: Dispatcher;
  /** Of the credential: no request is sent without its leave. */
  readonly budget: ApiBudget;
  readonly provider: Provider;
  readonly tracer: Tracer;
  /** The repository, without a trailing slash. */
  readonly url: URL;
  /** Value of the Authorization header, for the origin of `url` only; null: anonymous. */
  readonly authorization: string | null;
  readonly renewAuthorization: RenewAuthorization | null;
  readonly userAgent: string;
  /** From the end of a push to the headers of its answer. */
  readonly pushAnswerMs: number;
  /** Wall clock, epoch milliseconds. */
  readonly now: () => number;
};

/** As git: only the first request of a conversation may be redirected (http.followRedirects=initial). */
const MAX_REDIRECTS = 5;
/** Once because the token had ended, once more because the new one had not come round. */
const MAX_RENEWALS = 2;
const INFO_REFS = "/info/refs";
const serviceQuery = (service: GitSide): string => `?service=git-${service}`;

type Request = {
  readonly method: "GET" | "POST";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | Readable | null;
  readonly service: GitSide;
};

/** What an answer has to be. */
type Expected = { readonly base: URL; readonly service: GitSide; readonly contentType: string };

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
function redirectedBase(from: URL, location: string, service: GitSide): URL {
  if (!URL.canParse(location, from.href)) throw refuseRedirect(from, "to something that is no URL");
  const to = new URL(location, from.href);
  if (to.protocol !== "https:" && to.protocol !== "http:") throw refuseRedirect(from, "to another scheme than http and https");
  if (from.protocol === "https:" && to.protocol === "http:") throw refuseRedirect(from, "from https to http");
  if (to.username !== "" || to.password !== "") throw refuseRedirect(from, "to a URL with a credential in it");
  if (!to.pathname.endsWith(INFO_REFS) || to.search !== serviceQuery(service)) {
    throw refuseRedirect(from, `to a page of ${to.host} that is no git repository; it may ask for a login`);
  }
  return new URL(to.pathname.slice(0, -INFO_REFS.length), to.origin);
}

export class HttpClient implements GitTransport {
  readonly #options: HttpClientOptions;
  #authorization: string | null;
  #calls = 0;

  constructor(options: HttpClientOptions) {
    this.#options = options;
    this.#authorization = options.authorization;
  }

  get calls(): number {
    return this.#calls;
  }

  async announce(service: GitSide, signal: AbortSignal): Promise<Announcement> {
    const contentType = `application/x-git-${service}-advertisement`;
    let base = this.#options.url;
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
      const answer = await this.#askInfoRefs({ base, service, isRedirected: redirects > 0 }, signal);
      if (!isRedirect(answer.statusCode)) {
        return { endpoint: base.href, bytes: await this.#bytesOf(answer, { base, service, contentType }, signal) };
      }
      answer.body.destroy();
      base = redirectedBase(base, headerText(answer.headers.location), service);
    }
    throw refuseRedirect(base, `more than ${MAX_REDIRECTS} times`);
  }

  async request({ service, endpoint, version, body }: GitRequest, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const base = new URL(endpoint);
    const url = below(base, `/git-${service}`);
    const contentType = `application/x-git-${service}-result`;
    const headers = {
      "content-type": `application/x-git-${service}-request`,
      accept: contentType,
      ...(version === 2 ? { "git-protocol": "version=2" } : {}),
    };
    const sent = body instanceof Uint8Array ? body : Readable.from(body, { objectMode: false });
    const answer = await this.#send({ method: "POST", url, headers, body: sent, service }, signal);
    if (!isRedirect(answer.statusCode)) return this.#bytesOf(answer, { base, service, contentType }, signal);
    answer.body.destroy();
    throw refuseRedirect(url, "a request that must not be redirected");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#options.dispatcher.destroy();
  }

  async #askInfoRefs(
    { base, service, isRedirected }: { readonly base: URL; readonly service: GitSide; readonly isRedirected: boolean },
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    const url = below(base, `${INFO_REFS}${serviceQuery(service)}`);
    const protocol = service === "upload-pack" ? { "git-protocol": "version=2" } : {};
    const headers = { accept: "*/*", pragma: "no-cache", ...protocol };
    try {
      return await this.#send({ method: "GET", url, headers, body: null, service }, signal);
    } catch (error) {
      if (!isRedirected || !(error instanceof CoregitError) || error.code !== "AddressRefused") throw error;
      throw new CoregitError("RedirectRefused", `The remote redirects to an address that is not allowed. ${error.message}`, {
        details: error.details,
        cause: error,
      });
    }
  }

  /** A 401 says that nothing was done: all but what is read once is sent again with another credential, if there is one. */
  async #send(request: Request, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    for (let renewals = 0; ; renewals += 1) {
      const answer = await this.#attempt(request, signal);
      const { renewAuthorization } = this.#options;
      const isOver = answer.statusCode !== 401 || renewals === MAX_RENEWALS || request.body instanceof Readable;
      if (isOver || renewAuthorization === null || this.#credentialFor(request.url) !== "sent") return answer;
      answer.body.destroy();
      const renewed = await renewAuthorization(signal);
      if (renewed === null) return answer;
      this.#authorization = renewed;
    }
  }

  /** Up to the headers of the answer. */
  #attempt(request: Request, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const { tracer, provider } = this.#options;
    return tracer.span(`git ${request.service}`, callSpan(request, provider, "git"), async (span) => {
      const answer = await this.#ask(request, signal);
      noteStatus(span, answer.statusCode);
      return answer;
    });
  }

  async #ask({ method, url, headers, body, service }: Request, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const { dispatcher, userAgent, pushAnswerMs, budget } = this.#options;
    const isPush = method === "POST" && service === "receive-pack";
    const ticket = await budget.enter({ lane: "git", points: 0 }, signal);
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
          ...(this.#credentialFor(url) === "sent" && this.#authorization !== null ? { authorization: this.#authorization } : {}),
        },
        body,
        signal,
        ...(isPush ? { headersTimeout: pushAnswerMs } : {}),
      });
      // A body that is given up reports that as an error event of its own, when nobody is reading any more.
      answer.body.on("error", () => undefined);
      answer.body.once("close", () => ticket[Symbol.dispose]());
      ticket.heed({ status: answer.statusCode, headers: answer.headers, said: "" });
      return answer;
    } catch (error) {
      ticket[Symbol.dispose]();
      throw requestFailure(error, url.host, signal);
    }
  }

  #credentialFor(url: URL): Asked["credential"] {
    if (this.#authorization === null) return "none";
    return url.origin === this.#options.url.origin ? "sent" : "withheld";
  }

  /** The body of an answer that is one. @throws CoregitError for every other answer. */
  async #bytesOf(
    answer: Dispatcher.ResponseData,
    { base, service, contentType }: Expected,
    signal: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array>> {
    const bytes = readBody(answer.body, base.host, signal);
    if (answer.statusCode !== 200) {
      answer.body.destroy();
      const asked = { host: base.host, service, credential: this.#credentialFor(base), nowMs: this.#options.now() };
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
