// A stored file as bytes, for whoever opens its address: nothing in it may act in the name of this server, so it is text or
// an attachment, never a page, an image with scripts or what a browser takes it for.
import { isUtf8 } from "node:buffer";
import type { IncomingHttpHeaders } from "node:http";
import { bytesToText } from "../domain/byte-text.ts";
import { CoregitError } from "../domain/errors.ts";
import type { GitPath } from "../domain/tree.ts";
import type { RepositoryReader } from "../repositories/store.ts";
import type { AnswerAmong, AnswerHeaders, Refusal } from "./answers/answer-of.ts";
import { entityTag, isNotModified, type Part, requestedPart } from "./conditional.ts";
import type { FoundFile } from "./find-file.ts";

/** Up to this size a file is read at once, which also tells whether it is text; larger ones are streamed as they are. */
const MAX_READ_BYTES = 1024 * 1024;

/** May be kept, by the client only, and asked about each time: what stands at a path changes, and so does who may see it. */
export const REVALIDATED = { "cache-control": "private, no-cache", vary: "x-api-key" } as const;

const TEXT = "text/plain; charset=utf-8";
const BYTES = "application/octet-stream";
export const RAW_ANSWERS = { 200: { bytes: [TEXT, BYTES] }, 206: { bytes: [TEXT, BYTES] }, 304: {} } as const;

export type RawRequest = { readonly headers: IncomingHttpHeaders; readonly signal: AbortSignal };

/** The file or the part of it that the request asks for. */
export async function answerRaw(
  reader: RepositoryReader,
  file: FoundFile,
  request: RawRequest,
): Promise<AnswerAmong<typeof RAW_ANSWERS>> {
  const { oid } = file.entry;
  const tag = entityTag(oid);
  const cached = { ...REVALIDATED, etag: tag };
  if (isNotModified(request.headers, tag)) return { status: 304, headers: cached, bytes: null };
  const size = await reader.blobSize(oid);
  if (size === null) throw new CoregitError("ObjectMissing", `There is no blob ${oid}.`, { details: { oid } });
  const asked = requestedPart(request.headers, tag, size);
  if (asked === "unsatisfiable") return refuseRange(size);
  const part = asked === "whole" ? { start: 0, end: size } : asked;
  const { isText, bytes } = await openContent(reader, { oid, size, part, signal: request.signal });
  const headers = {
    ...cached,
    ...safeHeaders(file.path, isText),
    "accept-ranges": "bytes",
    "content-length": part.end - part.start,
  };
  if (asked === "whole") return { status: 200, headers, bytes };
  return { status: 206, headers: { ...headers, "content-range": `bytes ${part.start}-${part.end - 1}/${size}` }, bytes };
}

type Content = { readonly isText: boolean; readonly bytes: Uint8Array | AsyncIterable<Uint8Array> };

async function openContent(
  reader: RepositoryReader,
  blob: { readonly oid: FoundFile["entry"]["oid"]; readonly size: number; readonly part: Part; readonly signal: AbortSignal },
): Promise<Content> {
  const { oid, size, part, signal } = blob;
  if (size > MAX_READ_BYTES) return { isText: false, bytes: reader.streamBlob(oid, part, signal) };
  const content = await reader.readBlob(oid);
  return { isText: isUtf8(content) && !content.includes(0), bytes: content.subarray(part.start, part.end) };
}

function refuseRange(size: number): Refusal {
  const refusal = new CoregitError("RangeNotSatisfiable", `The file has ${size} bytes.`);
  return { refusal, headers: { "content-range": `bytes */${size}` } };
}

function safeHeaders(path: GitPath, isText: boolean): AnswerHeaders {
  return {
    "content-type": isText ? TEXT : BYTES,
    "content-disposition": `${isText ? "inline" : "attachment"}; ${fileName(path)}`,
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
  };
}

/** The name to save under, as RFC 6266 has it: for old clients in ASCII, for others exactly. */
function fileName(path: GitPath): string {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const text = bytesToText(name) ?? name;
  const plain = text.replace(/[^ !#-[\]-~]/g, "_");
  const exact = encodeURIComponent(text).replace(/['()*]/g, (character) => `%${character.charCodeAt(0).toString(16)}`);
  return `filename="${plain}"; filename*=UTF-8''${exact}`;
}
