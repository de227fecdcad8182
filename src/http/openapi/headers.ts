// Headers of requests and answers, as components of the document.
import type { DocumentedAnswers } from "../answers/answer-of.ts";
import type { Json } from "./json-schema.ts";

const header = (description: string, type: "string" | "integer") => ({ description, schema: { type } });

export const ANSWER_HEADERS = {
  "X-Request-Id": header(
    "Names this request in the server's log; the request's own header of that name when it is a short word.",
    "string",
  ),
  "X-RateLimit-Limit": header("Requests that a token has in each minute of the clock. Not for the master key.", "integer"),
  "X-RateLimit-Remaining": header("How many of them are left.", "integer"),
  "X-RateLimit-Reset": header("When the minute ends, in seconds since the epoch.", "integer"),
  "Retry-After": header("How many seconds to wait.", "integer"),
  ETag: header("Names this content; give it back in If-None-Match.", "string"),
  "Accept-Ranges": header("`bytes`: a part may be asked for.", "string"),
  "Content-Range": header("Which part it is, and of how many bytes.", "string"),
  "Content-Disposition": header("`attachment` for what is not short text, with the file's name.", "string"),
} as const;

export type AnswerHeader = keyof typeof ANSWER_HEADERS;

/** What every answer to a key carries. */
const ALWAYS = ["X-Request-Id", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"] as const;

export function headersWith(...more: readonly AnswerHeader[]): Json {
  return Object.fromEntries([...ALWAYS, ...more].map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

/** What an answer carries follows from what else the route answers: 304 takes a tag, 206 a range. */
export function answerHeaders(answers: DocumentedAnswers, status: number): Json {
  const isCached = "304" in answers;
  const isRanged = "206" in answers && status !== 304;
  return headersWith(
    ...(isCached ? (["ETag"] as const) : []),
    ...(isRanged ? (["Accept-Ranges", "Content-Disposition"] as const) : []),
    ...(status === 206 ? (["Content-Range"] as const) : []),
  );
}

const parameter = (name: string, description: string) => ({ name, in: "header", description, schema: { type: "string" } });

const REQUEST_HEADERS = {
  304: [parameter("If-None-Match", "Tags of what the client has; if it is still that, the answer is 304.")],
  206: [
    parameter("Range", "`bytes=FIRST-LAST`, one range of bytes. Several are answered with the whole file."),
    parameter("If-Range", "The range counts only if the file still has this tag."),
  ],
} as const;

export function requestHeaders(answers: DocumentedAnswers): readonly Json[] {
  return Object.entries(REQUEST_HEADERS).flatMap(([status, parameters]) => (status in answers ? parameters : []));
}
