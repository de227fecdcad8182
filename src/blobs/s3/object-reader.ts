// Reads one object from an offset on. A body that breaks off, ends early or falls silent is asked for again from where it
// stopped, a bounded number of times; `If-Match` makes sure that it is the same object.

import { Readable } from "node:stream";
import { CoregitError } from "../../domain/errors.ts";
import type { BlobKey } from "../blob-store.ts";
import { objectOf, type S3Bucket } from "./s3-bucket.ts";
import { s3Code, s3Status } from "./s3-failure.ts";

type Part = { readonly start: number; readonly end: number };

/** The owner disposes it; the connection of a body that is not read to its end is closed. */
export class ObjectReader implements Disposable {
  readonly #bucket: S3Bucket;
  readonly #key: BlobKey;
  readonly #signal: AbortSignal | undefined;
  #at: number;
  #end: number;
  #body: Body | null = null;
  #etag: string | undefined;
  #breaks = 0;

  /** `end` may lie behind the object's end; `start` lies before `end`. */
  constructor(bucket: S3Bucket, key: BlobKey, { start, end }: Part, signal?: AbortSignal) {
    this.#bucket = bucket;
    this.#key = key;
    this.#at = start;
    this.#end = end;
    this.#signal = signal;
  }

  /** The next piece, or null at the end. @throws CoregitError `ObjectMissing`, `StorageUnavailable`, and errors of the SDK. */
  async next(): Promise<Uint8Array | null> {
    while (this.#at < this.#end) {
      this.#signal?.throwIfAborted();
      this.#body ??= await this.#open();
      const piece = await this.#read(this.#body);
      if (piece === null) continue;
      this.#at += piece.length;
      return piece;
    }
    return null;
  }

  [Symbol.dispose](): void {
    this.#body?.stream.destroy();
    this.#body = null;
  }

  async #open(): Promise<Body> {
    const Range = this.#range();
    const request = { ...objectOf(this.#bucket, this.#key), Range, IfMatch: this.#etag };
    const abortSignal = this.#signal;
    try {
      const answer = await this.#bucket.client.getObject(request, abortSignal === undefined ? {} : { abortSignal });
      return this.#accept(answer, Range !== undefined);
    } catch (error) {
      if (s3Code(error) === "NoSuchKey")
        throw new CoregitError("ObjectMissing", `There is no blob ${this.#key}.`, { cause: error });
      if (s3Status(error) !== 416) throw error;
      this.#end = this.#at;
      return bodyOf(Readable.from([]));
    }
  }

  /** undefined: the whole object. */
  #range(): string | undefined {
    if (this.#end < Number.MAX_SAFE_INTEGER) return `bytes=${this.#at}-${this.#end - 1}`;
    return this.#at === 0 ? undefined : `bytes=${this.#at}-`;
  }

  #accept(answer: Answer, isPart: boolean): Body {
    const { Body: body, ContentLength: length, ContentRange: range } = answer;
    const isAsAsked = !isPart || range?.startsWith(`bytes ${this.#at}-`) === true;
    if (!(body instanceof Readable) || length === undefined || !isAsAsked) {
      if (body instanceof Readable) body.destroy();
      throw new CoregitError("StorageUnavailable", `${this.#bucket.description} did not answer as S3 does to a get.`);
    }
    this.#etag ??= answer.ETag;
    this.#end = this.#at + length;
    return bodyOf(body);
  }

  /** null when the body has to be asked for again. */
  async #read({ stream, pieces }: Body): Promise<Uint8Array | null> {
    const silence = setTimeout(() => stream.destroy(new Error("The body fell silent.")), this.#bucket.limits.silenceMs);
    try {
      const result = await pieces.next();
      if (result.done !== true) return result.value;
      this.#countBreak(new Error("The body ended early."));
    } catch (error) {
      this.#signal?.throwIfAborted();
      this.#countBreak(error);
    } finally {
      clearTimeout(silence);
    }
    this[Symbol.dispose]();
    return null;
  }

  #countBreak(cause: unknown): void {
    this.#breaks += 1;
    if (this.#breaks < this.#bucket.limits.attempts) return;
    const sentence = `The blob store ${this.#bucket.description} broke off blob ${this.#key} ${this.#breaks} times.`;
    throw new CoregitError("StorageUnavailable", sentence, { cause });
  }
}

type Body = { readonly stream: Readable; readonly pieces: AsyncIterator<Uint8Array> };

function bodyOf(stream: Readable): Body {
  return { stream, pieces: stream[Symbol.asyncIterator]() };
}

type Answer = {
  readonly Body?: unknown;
  readonly ContentLength?: number | undefined;
  readonly ContentRange?: string | undefined;
  readonly ETag?: string | undefined;
};
