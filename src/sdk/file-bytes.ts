// Files as bytes: which part is asked for, and what an answer of bytes says about the whole.
import { type CachedRequestOptions, conditionOf } from "./conditional.ts";
import { UnexpectedAnswer } from "./read-answer.ts";

/** From `start` to `end`, both included, or to the end of the file; or its `last` bytes. */
export type ByteRange = { readonly start: number; readonly end?: number | undefined } | { readonly last: number };

export type RangeOptions = CachedRequestOptions & {
  /** A part; the status is then 206. Beyond the file's end it is 416 `RANGE_NOT_SATISFIABLE`. */
  readonly range?: ByteRange | undefined;
  /** The `etag` that the part belongs to: when the file has changed since, the whole of it comes, with status 200. */
  readonly ifRange?: string | undefined;
};

type FileFacts = {
  /** Where in the file the bytes begin. */
  readonly start: number;
  /** Bytes of the whole file; null where the answer does not say. */
  readonly size: number | null;
  /** For `ifNoneMatch` and `ifRange`. */
  readonly etag: string | null;
};

export type FileBytes = FileFacts & { readonly bytes: Uint8Array<ArrayBuffer> };
export type FileStream = FileFacts & { readonly stream: ReadableStream<Uint8Array<ArrayBuffer>> };

/** @throws TypeError for a range of no whole numbers. */
export function rangeHeaders(options: RangeOptions | undefined): Readonly<Record<string, string>> {
  const { range, ifRange } = options ?? {};
  return {
    ...conditionOf(options),
    ...(range === undefined ? {} : { range: `bytes=${rangeText(range)}` }),
    ...(ifRange === undefined ? {} : { "if-range": ifRange }),
  };
}

function rangeText(range: ByteRange): string {
  const [first, last] = "last" in range ? ["", range.last] : [range.start, range.end ?? ""];
  const isWhole = [first, last].every((bound) => bound === "" || (Number.isSafeInteger(bound) && Number(bound) >= 0));
  if (!isWhole) throw new TypeError("A range is made of whole numbers of bytes.");
  return `${first}-${last}`;
}

export async function readBytes(response: Response): Promise<FileBytes> {
  const bytes = new Uint8Array(await response.arrayBuffer());
  const { start, size, etag } = factsOf(response);
  return { bytes, start, size: size ?? (response.status === 200 ? bytes.length : null), etag };
}

export async function readStream(response: Response): Promise<FileStream> {
  if (response.body === null) throw new UnexpectedAnswer(response, "no body");
  return { stream: response.body as ReadableStream<Uint8Array<ArrayBuffer>>, ...factsOf(response) };
}

function factsOf({ headers, status }: Response): FileFacts {
  const etag = headers.get("etag");
  const [, start, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(headers.get("content-range") ?? "") ?? [];
  if (start !== undefined) return { start: Number(start), size: Number(total), etag };
  // A length that was counted over compressed bytes is not the file's.
  const length = headers.get("content-encoding") === null && status === 200 ? headers.get("content-length") : null;
  return { start: 0, size: length === null ? null : Number(length), etag };
}
