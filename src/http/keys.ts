// Who may ask. Finds the key in a request and compares it with the master key; decides nothing about what a key allows.
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { CoregitError } from "../domain/errors.ts";

/** Tells whether `candidate` is the key. Takes the same time whatever the candidate: hashes are compared. */
export type KeyCheck = (candidate: string | null) => boolean;

export function createKeyCheck(masterKey: string): KeyCheck {
  const expected = sha256(masterKey);
  return (candidate) => candidate !== null && timingSafeEqual(sha256(candidate), expected);
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text, "utf8").digest();
}

/** The key of an API request: the `x-api-key` header, or null. */
export function apiKeyOf(headers: IncomingHttpHeaders): string | null {
  const key = headers["x-api-key"];
  return typeof key === "string" && key !== "" ? key : null;
}

/** The key of a git request: the password of HTTP Basic with any user name, or the `x-api-key` header, or null. */
export function gitKeyOf(headers: IncomingHttpHeaders): string | null {
  const encoded = /^basic +([A-Za-z0-9+/=]+)$/i.exec(headers.authorization ?? "")?.[1];
  if (encoded === undefined) return apiKeyOf(headers);
  const text = Buffer.from(encoded, "base64").toString("utf8");
  const colon = text.indexOf(":");
  return colon < 0 || colon === text.length - 1 ? null : text.slice(colon + 1);
}

/** @throws CoregitError `Unauthorized` unless the request carries the master key. */
export function requireKey(isMasterKey: KeyCheck, headers: IncomingHttpHeaders): void {
  const key = apiKeyOf(headers);
  if (key === null) throw new CoregitError("Unauthorized", "Send an API key in the x-api-key header.");
  if (!isMasterKey(key)) throw new CoregitError("Unauthorized", "The API key is not valid.");
}
