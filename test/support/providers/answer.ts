// What every route of a double takes and gives. Routes are functions from a request to an answer; sockets, recording and
// faults are the business of http-front.ts.
import type { IncomingHttpHeaders } from "node:http";

export type ProviderRequest = {
  readonly method: string;
  /** As it arrived; host and scheme are the double's own. */
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
};

export type AnswerBody = Buffer | AsyncIterable<Uint8Array> | null;

export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AnswerBody;
};

export function textAnswer(status: number, text: string, contentType = "text/plain; charset=utf-8"): Answer {
  return { status, headers: { "content-type": contentType }, body: Buffer.from(text) };
}

/** Ends a route early with the answer that a provider gives. */
export class Refusal extends Error {
  readonly status: number;
  readonly json: unknown;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, json: unknown, headers: Readonly<Record<string, string>> = {}) {
    super(`${status} ${JSON.stringify(json)}`);
    this.status = status;
    this.json = json;
    this.headers = headers;
  }
}

/** A header that may come once; repeated ones are not sent by any client here. */
export function headerOf(headers: IncomingHttpHeaders, name: string): string | null {
  const value = headers[name];
  return typeof value === "string" ? value : null;
}
