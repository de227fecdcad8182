// One request to a provider's API and its whole answer: within the credential's budget, through the guarded dispatcher, under a
// deadline and a size limit. Follows nothing, repeats nothing.
import type { Dispatcher } from "undici";
import { CoregitError } from "../domain/errors.ts";
import type { Provider } from "../domain/sync-spec.ts";
import { noTracer, type Tracer } from "../domain/tracer.ts";
import type { ApiBudget, BudgetedCall, Ticket } from "./api-budget.ts";
import { callSpan, noteStatus } from "./call-span.ts";
import { abortFailure, requestFailure } from "./git/errors.ts";
import { clockOffsetMs } from "./rate-limit.ts";

export type ApiWireOptions = {
  readonly provider: Provider;
  readonly dispatcher: Dispatcher;
  readonly budget: ApiBudget;
  /** One attempt, with its whole answer, beside the sending of its body. */
  readonly attemptMs: number;
  readonly uploadBytesPerSecond: number;
  readonly answerBytes: number;
  /** Wall clock, epoch milliseconds. */
  readonly now: () => number;
  /** Ends all that is asked. */
  readonly signal: AbortSignal;
  /** Default: no traces. */
  readonly tracer?: Tracer;
};

export type ApiRequest = {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
};

/** As much of a refusal's body as is looked at for words about a limit. */
const SAID_BYTES = 2_000;

export class ApiWire {
  readonly #options: ApiWireOptions;
  #calls = 0;
  #clockOffsetMs = 0;

  constructor(options: ApiWireOptions) {
    this.#options = options;
  }

  /** Requests made so far. */
  get calls(): number {
    return this.#calls;
  }

  /** How far the server's clock is ahead of ours, as the last answer told. */
  get clockOffsetMs(): number {
    return this.#clockOffsetMs;
  }

  /** @throws CoregitError when there is no answer, or none that may be asked for now; an answer of any status is returned. */
  async send(request: ApiRequest): Promise<Response> {
    const { budget, provider, signal, tracer = noTracer } = this.#options;
    const call = budgetedCall(provider, request);
    return await tracer.span(`${provider} ${request.method}`, callSpan(request, provider, call.lane), async (span) => {
      using ticket = await budget.enter(call, signal);
      const answer = await this.#attempt(request, ticket);
      noteStatus(span, answer.status);
      return answer;
    });
  }

  async #attempt({ method, url, headers, body }: ApiRequest, ticket: Ticket): Promise<Response> {
    const { dispatcher, signal, now } = this.#options;
    if (signal.aborted) throw abortFailure(signal);
    const limitMs = this.#limitMs(body);
    const deadline = AbortSignal.timeout(limitMs);
    this.#calls += 1;
    try {
      const answer = await dispatcher.request({
        method: method as Dispatcher.HttpMethod,
        headers,
        body,
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        signal: AbortSignal.any([signal, deadline]),
      });
      const bytes = await this.#readWhole(answer.body, url.host);
      const { statusCode: status } = answer;
      this.#clockOffsetMs = clockOffsetMs(answer.headers, now());
      ticket.heed({ status, headers: answer.headers, said: status < 400 ? "" : bytes.toString("utf8", 0, SAID_BYTES) });
      const hasBody = status !== 204 && status !== 205 && status !== 304;
      return new Response(hasBody ? bytes : null, { status, headers: plainHeaders(answer.headers) });
    } catch (error) {
      if (deadline.aborted && !signal.aborted) {
        throw new CoregitError("RemoteTooSlow", `${url.host} did not answer within ${limitMs} ms.`, { cause: error });
      }
      throw requestFailure(error, url.host, signal);
    }
  }

  #limitMs(body: string | null): number {
    const { attemptMs, uploadBytesPerSecond } = this.#options;
    return attemptMs + Math.floor((Buffer.byteLength(body ?? "") / uploadBytesPerSecond) * 1000);
  }

  async #readWhole(body: Dispatcher.ResponseData["body"], host: string): Promise<Buffer> {
    const { answerBytes } = this.#options;
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > answerBytes) throw new CoregitError("RemoteProtocol", `${host} answered more than ${answerBytes} bytes.`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }
}

/**
 * GitHub counts GraphQL and Apps apart and weighs requests: reads 1, writes 5.
 * https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#calculating-points-for-the-secondary-rate-limit
 */
function budgetedCall(provider: Provider, { method, url, body }: ApiRequest): BudgetedCall {
  if (provider !== "github") return { lane: "core", points: 0 };
  if (url.pathname.endsWith("/graphql")) return { lane: "graphql", points: /"query":\s*"\s*mutation\b/.test(body ?? "") ? 5 : 1 };
  const lane = /^(?:\/api\/v3)?\/app(?:\/|$)/.test(url.pathname) ? "app" : "core";
  return { lane, points: method === "GET" || method === "HEAD" ? 1 : 5 };
}

function plainHeaders(headers: Dispatcher.ResponseData["headers"]): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(", ") : value]],
    ),
  );
}
