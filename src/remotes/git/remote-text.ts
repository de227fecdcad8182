// Words of the remote in our messages: made printable, shortened, and without the credential that we sent, should the
// remote repeat it.
import { CoregitError } from "../../domain/errors.ts";

/** Makes the remote's words fit to be quoted. */
export type Quote = (text: string) => string;

const MAX_QUOTE = 200;

/** @param secrets exact texts that must not appear. */
export function createQuote(secrets: readonly string[]): Quote {
  const hidden = secrets.filter((secret) => secret !== "");
  return (text) => {
    const clean = hidden.reduce((rest, secret) => rest.replaceAll(secret, "***"), text);
    return JSON.stringify(
      clean
        .replace(/[\p{C}\p{Z}]+/gu, " ")
        .trim()
        .slice(0, MAX_QUOTE),
    );
  };
}

/** What the remote said instead of an answer: an `ERR` packet, or the error band of a pack. */
export function remoteRefusal(said: string, quote: Quote): CoregitError {
  // The protocol has no codes; these are the texts of git (and all that embed it) and of JGit.
  if (/not our ref|^want [0-9a-f]{40} not valid/i.test(said)) {
    return new CoregitError("RemoteMoved", "The remote no longer offers the commit that its branch named a moment ago.");
  }
  return new CoregitError("RemoteProtocol", `The remote refused the request: ${quote(said)}.`);
}
