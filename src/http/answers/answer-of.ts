// What a route answers, as types: derived from the schemas that document it, so that an answer that drifts from its
// documentation does not compile.
import type { z } from "zod";
import type { CoregitError } from "../../domain/errors.ts";

/** What a schema describes, as something to be answered. */
export type AnswerOf<S extends z.ZodType> = Frozen<z.output<S>>;

type Frozen<T> = T extends readonly (infer E)[]
  ? readonly Frozen<E>[]
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T;

/**
 * What a route answers with one status: JSON of a schema, or what it says by its kind, or nothing but headers. `bytes` are
 * the media types of a file, `stream` that of text for as long as there is some; `json` may be another form beside them.
 */
export type DocumentedAnswer =
  | z.ZodType
  | { readonly json?: z.ZodType; readonly bytes?: readonly string[]; readonly stream?: string; readonly description?: string };

/** By status. */
export type DocumentedAnswers = { readonly [status: number]: DocumentedAnswer };

export type AnswerHeaders = Readonly<Record<string, string | number>>;

export type JsonAnswer = { readonly status: number; readonly body: unknown; readonly headers?: AnswerHeaders };
export type BytesAnswer = {
  readonly status: number;
  readonly headers: AnswerHeaders;
  readonly bytes: Uint8Array | AsyncIterable<Uint8Array> | null;
};
export type StreamAnswer = { readonly stream: AsyncIterable<string>; readonly contentType: string };
/** A refusal that needs headers of its own; every other one is thrown. */
export type Refusal = { readonly refusal: CoregitError; readonly headers: AnswerHeaders };

/** JSON with a status, bytes with a status, text for as long as there is some, or a refusal. A stream of bytes is not begun for HEAD. */
export type Answer = JsonAnswer | BytesAnswer | StreamAnswer | Refusal;

/** What may be answered where `A` is documented. */
export type AnswerAmong<A extends DocumentedAnswers> =
  | { [S in keyof A & number]: Documented<S, A[S]> }[keyof A & number]
  | Refusal;

type Documented<S extends number, D> = D extends z.ZodType
  ? Json<S, D>
  :
      | (D extends { readonly json: infer J extends z.ZodType } ? Json<S, J> : never)
      | (D extends { readonly stream: string } ? StreamAnswer : never)
      | (D extends { readonly stream: string } ? never : BytesAnswer & { readonly status: S });

type Json<S extends number, D extends z.ZodType> = JsonAnswer & { readonly status: S; readonly body: AnswerOf<D> };
