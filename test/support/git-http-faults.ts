// How the test server answers wrongly: instead of git (status, redirect, page, made-up bytes, silence) or in the middle of
// git's own answer (stop, cut, reset, drip).
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { RecordedRequest } from "./git-http-server.ts";

/** Instead of git's answer. */
type Replacement =
  | { readonly kind: "status"; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  | { readonly kind: "redirect"; readonly location: string; readonly status?: number }
  | { readonly kind: "page" }
  | {
      readonly kind: "body";
      readonly contentType: string;
      readonly chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** Accepts the request and never answers. */
  | { readonly kind: "silence" }
  | { readonly kind: "reset" };

/** In git's answer, after so many bytes of its body. */
type Interruption =
  | { readonly kind: "stall"; readonly afterBytes: number }
  /** Ends the answer as if it were complete. */
  | { readonly kind: "truncate"; readonly afterBytes: number }
  | { readonly kind: "break"; readonly afterBytes: number }
  /** One byte at a time, so many milliseconds apart. */
  | { readonly kind: "drip"; readonly everyMs: number };

export type Fault = Replacement | Interruption;

/** Resolves when the response takes more, or never will. */
async function drained(response: ServerResponse): Promise<void> {
  const settled = new AbortController();
  const { signal } = settled;
  await Promise.race([once(response, "drain", { signal }), once(response, "close", { signal })]);
  settled.abort();
}

async function send(response: ServerResponse, recorded: RecordedRequest, chunk: Uint8Array): Promise<boolean> {
  if (response.destroyed) return false;
  recorded.sentBytes += chunk.length;
  if (!response.write(chunk)) await drained(response);
  return !response.destroyed;
}

async function sendAll(
  response: ServerResponse,
  recorded: RecordedRequest,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  for await (const chunk of chunks) {
    if (!(await send(response, recorded, chunk))) return;
  }
  response.end();
}

/** Plays a fault that replaces git's answer; false when git shall answer. */
export function playFault(fault: Fault, response: ServerResponse, recorded: RecordedRequest): boolean {
  switch (fault.kind) {
    case "status":
      response.writeHead(fault.status, fault.headers ?? {}).end();
      return true;
    case "redirect":
      response.writeHead(fault.status ?? 302, { location: fault.location }).end();
      return true;
    case "page":
      response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>Sign in</title>");
      return true;
    case "body":
      response.writeHead(200, { "content-type": fault.contentType, ...fault.headers });
      sendAll(response, recorded, fault.chunks).catch(() => response.destroy());
      return true;
    case "silence":
      return true;
    case "reset":
      response.socket?.resetAndDestroy();
      return true;
    default:
      return false;
  }
}

async function drip(chunk: Uint8Array, response: ServerResponse, recorded: RecordedRequest, everyMs: number): Promise<void> {
  for (let index = 0; index < chunk.length && !response.destroyed; index += 1) {
    await send(response, recorded, chunk.subarray(index, index + 1));
    await new Promise((resolve) => setTimeout(resolve, everyMs).unref());
  }
}

function interrupt(response: ServerResponse, fault: Fault | null): void {
  if (fault?.kind === "truncate") response.end();
  if (fault?.kind === "break") response.socket?.resetAndDestroy();
}

/** Bytes of git's answer that the fault lets through. */
function allowance(fault: Fault | null): number {
  return fault !== null && "afterBytes" in fault ? fault.afterBytes : Number.POSITIVE_INFINITY;
}

/** Passes git's body on, up to what the fault says. */
export async function relay(
  body: AsyncIterable<Uint8Array>,
  response: ServerResponse,
  recorded: RecordedRequest,
  fault: Fault | null,
): Promise<void> {
  for await (const chunk of body) {
    if (fault?.kind === "drip") {
      await drip(chunk, response, recorded, fault.everyMs);
      continue;
    }
    const part = chunk.subarray(0, allowance(fault) - recorded.sentBytes);
    if (!(await send(response, recorded, part))) return;
    if (part.length < chunk.length) return interrupt(response, fault);
  }
  response.end();
}
