// What never became a request: bytes that are not HTTP, headers that are too large or too slow. Answered as other refusals
// are, past all hooks, since there is no request to hook.
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { apiCode } from "../domain/errors.ts";

type ClientError = Error & { readonly code?: string };

const REFUSALS: Readonly<Record<string, readonly [status: number, sentence: string]>> = {
  HPE_HEADER_OVERFLOW: [431, "The address and the headers are larger than 16 KiB together."],
  ERR_HTTP_REQUEST_TIMEOUT: [408, "The request took too long to arrive."],
};
const NO_HTTP = [400, "This is not an HTTP request."] as const;

/** Ends the connection, with an answer where somebody can still read it. */
export function refuseConnection({ code = "" }: ClientError, socket: Socket): void {
  if (code === "ECONNRESET" || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, error] = REFUSALS[code] ?? NO_HTTP;
  const body = JSON.stringify({ error, code: apiCode("InvalidRequest") });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    "content-type: application/json; charset=utf-8",
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}
