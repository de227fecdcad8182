// Keys: where a request carries one, and whose it is. Decides nothing about what a key allows, and never repeats one.
import { timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { CoregitError } from "../domain/errors.ts";
import { MASTER, type Principal } from "./principal.ts";
import { sha256 } from "./sha256.ts";
import type { Tokens } from "./tokens.ts";

/** Tells whether `candidate` is the key. Takes the same time whatever the candidate: hashes are compared. */
export type KeyCheck = (candidate: string) => boolean;

export function createKeyCheck(masterKey: string): KeyCheck {
  const expected = sha256(masterKey);
  return (candidate) => timingSafeEqual(sha256(candidate), expected);
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

/** Whose key it is. @throws CoregitError `Unauthorized`. */
export type Authenticate = (key: string) => Promise<Principal>;

/** Every key is compared with the master key; one that is not it and has a token's form costs one look at the rows. */
export function createAuthenticator(masterKey: string, tokens: Pick<Tokens, "find">): Authenticate {
  const isMasterKey = createKeyCheck(masterKey);
  return async (key) => {
    if (isMasterKey(key)) return MASTER;
    const token = await tokens.find(key);
    if (token === null) throw new CoregitError("Unauthorized", "The API key is not valid.");
    if (token.isExpired) throw new CoregitError("Unauthorized", "The API key has expired.");
    return { kind: "token", id: token.id, actor: `token:${token.id}`, scopes: token.scopes };
  };
}
