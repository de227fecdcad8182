// What a client has already and which part it wants: If-None-Match, Range and If-Range, as RFC 9110 reads them.
import type { IncomingHttpHeaders } from "node:http";

/** A strong entity tag of content that is named by its hash. */
export function entityTag(name: string): string {
  return `"${name}"`;
}

/** Whether the client has what `tag` stands for. */
export function isNotModified(headers: IncomingHttpHeaders, tag: string): boolean {
  const given = headers["if-none-match"];
  if (given === undefined) return false;
  return given.split(",").some((one) => one.trim() === "*" || one.trim().replace(/^W\//, "") === tag);
}

/** Bytes from `start` to before `end`. */
export type Part = { readonly start: number; readonly end: number };

/** One range of bytes; a request for several is answered with the whole, as it may be. */
const RANGE = /^bytes=(\d{0,15})-(\d{0,15})$/i;

/** The part that the client asks for, `whole`, or `unsatisfiable` when the content has no such byte. */
export function requestedPart(headers: IncomingHttpHeaders, tag: string, size: number): Part | "whole" | "unsatisfiable" {
  const [, first, last] = RANGE.exec(headers.range ?? "") ?? [];
  const isCurrent = headers["if-range"] === undefined || headers["if-range"] === tag;
  if (first === undefined || last === undefined || first + last === "" || !isCurrent) return "whole";
  if (first === "") return checked({ start: Math.max(size - Number(last), 0), end: size });
  if (last !== "" && Number(last) < Number(first)) return "whole";
  return checked({ start: Number(first), end: last === "" ? size : Math.min(Number(last) + 1, size) });
}

function checked(part: Part): Part | "unsatisfiable" {
  return part.start < part.end ? part : "unsatisfiable";
}
