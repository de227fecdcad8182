// Keeps what the HTTP servers of a program answer, in the process that loads this. Not for a test's own process: the doubles of
// providers answer there, and what they say is theirs.
import { ServerResponse } from "node:http";
import { knowSecretsIn } from "./declared-secrets.ts";
import { keepSaid, keepsEvidence } from "./evidence.ts";

/** Whose answers show a secret, which is what they are for. */
const SHOWS_SECRET = /^\/v1\/(?:tokens$|repos\/.*\/sync\/webhook(?:\/|$|\?))/;
const TEXT_TYPE = /^(?:application\/(?:json|problem\+json)|text\/)/;

type End = (this: ServerResponse, ...args: unknown[]) => ServerResponse;

if (keepsEvidence()) {
  const end = ServerResponse.prototype.end as End;
  ServerResponse.prototype.end = function (this: ServerResponse, ...args: unknown[]) {
    keepAnswer(this, args[0]);
    return end.apply(this, args);
  } as ServerResponse["end"];
}

function keepAnswer(response: ServerResponse, content: unknown): void {
  const { method = "", url = "" } = response.req;
  const isText = TEXT_TYPE.test(String(response.getHeader("content-type") ?? ""));
  const text = isText && (typeof content === "string" || content instanceof Uint8Array) ? Buffer.from(content).toString() : "";
  if (SHOWS_SECRET.test(url) && response.statusCode < 300 && text.startsWith("{"))
    knowSecretsIn(`an answer of ${url}`, JSON.parse(text));
  else keepSaid(`the program's answer to ${method}`, `${JSON.stringify(response.getHeaders())}\n${text}`);
}
