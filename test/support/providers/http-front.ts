// The HTTP(S) side that both doubles share: reads a request, records it, plays ordered faults around the double's own answer,
// and turns a defect of the double into a loud 500 and a violation that fails the test.
import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import type { Answer, ProviderRequest } from "./answer.ts";
import { textAnswer } from "./answer.ts";
import type { Fault, Faults } from "./faults.ts";
import type { RecordedRequest, Recording } from "./recording.ts";
import type { Violations } from "./violations.ts";

export type HttpFrontOptions = {
  readonly recording: Recording;
  readonly faults: Faults;
  readonly violations: Violations;
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  /** Default: any free one. */
  readonly port?: number | undefined;
  readonly answer: (request: ProviderRequest, recorded: RecordedRequest) => Promise<Answer>;
};

export interface HttpFront extends AsyncDisposable {
  /** Without a trailing slash. */
  readonly url: string;
}

const BAD_GATEWAY =
  "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>";

export async function startHttpFront(options: HttpFrontOptions): Promise<HttpFront> {
  let url = "";
  const listener = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const recorded = options.recording.open(incoming);
    outgoing.on("error", () => undefined);
    outgoing.once("close", () => options.recording.close(recorded));
    exchange({ incoming, outgoing, recorded, origin: url, options }).catch(() => outgoing.destroy());
  };
  const server: Server = options.tls === undefined ? createHttpServer(listener) : createHttpsServer(options.tls, listener);
  server.listen({ host: "127.0.0.1", port: options.port ?? 0 });
  await once(server, "listening");
  url = `${options.tls === undefined ? "http" : "https"}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

type Exchange = {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly recorded: RecordedRequest;
  readonly origin: string;
  readonly options: HttpFrontOptions;
};

async function exchange(parts: Exchange): Promise<void> {
  const { incoming, recorded, origin, options } = parts;
  const fault = options.faults.take(`${incoming.method} ${incoming.url}`);
  recorded.fault = fault?.kind ?? null;
  const body = await buffer(incoming);
  recorded.requestBytes = body.length;
  recorded.json = parseJson(incoming, body);
  const instead = await playBefore(parts, fault);
  if (instead === "nothing") return;
  const request = { method: incoming.method ?? "", url: new URL(incoming.url ?? "/", origin), headers: incoming.headers, body };
  const answer = instead ?? (await guarded(() => options.answer(request, recorded), options.violations, recorded));
  await playAfter(parts, fault, answer);
}

function parseJson(incoming: IncomingMessage, body: Buffer): unknown {
  if (!/json/.test(incoming.headers["content-type"] ?? "")) return undefined;
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}

async function guarded(work: () => Promise<Answer>, violations: Violations, recorded: RecordedRequest): Promise<Answer> {
  try {
    return await work();
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    violations.add("defect", `${recorded.method} ${recorded.path}: ${text}`);
    return textAnswer(500, `The double is broken: ${text}`);
  }
}

async function playBefore({ outgoing }: Exchange, fault: Fault | null): Promise<Answer | "nothing" | null> {
  switch (fault?.kind) {
    case "reset":
      outgoing.socket?.resetAndDestroy();
      return "nothing";
    case "stall":
      return "nothing";
    case "answer":
      return { status: fault.status, headers: fault.headers ?? {}, body: Buffer.from(fault.body ?? "") };
    case "before":
      await fault.run();
      return null;
    default:
      return null;
  }
}

async function playAfter({ outgoing, recorded }: Exchange, fault: Fault | null, answer: Answer): Promise<void> {
  switch (fault?.kind) {
    case "loseAnswer":
      outgoing.socket?.resetAndDestroy();
      return;
    case "answerAfter":
      return send(outgoing, recorded, textAnswer(fault.status ?? 502, fault.body ?? BAD_GATEWAY, "text/html"));
    case "halfAnswer":
      return sendHalf(outgoing, recorded, { answer, end: fault.end });
    case "after":
      await fault.run();
  }
  return send(outgoing, recorded, answer);
}

async function send(outgoing: ServerResponse, recorded: RecordedRequest, answer: Answer): Promise<void> {
  recorded.status = answer.status;
  const { body } = answer;
  if (body === null || Buffer.isBuffer(body)) {
    const length = body === null ? {} : { "content-length": String(body.length) };
    outgoing.writeHead(answer.status, { ...answer.headers, ...length }).end(recorded.method === "HEAD" ? null : body);
    return;
  }
  outgoing.writeHead(answer.status, answer.headers);
  await stream(outgoing, body);
}

async function stream(outgoing: ServerResponse, body: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of body) {
    if (outgoing.destroyed) return;
    if (!outgoing.write(chunk)) await Promise.race([once(outgoing, "drain"), once(outgoing, "close")]);
  }
  outgoing.end();
}

async function sendHalf(
  outgoing: ServerResponse,
  recorded: RecordedRequest,
  { answer, end }: { readonly answer: Answer; readonly end: "complete" | "broken" | "silent" },
): Promise<void> {
  const whole = Buffer.isBuffer(answer.body) ? answer.body : Buffer.from(await collect(answer.body));
  const half = whole.subarray(0, Math.floor(whole.length / 2));
  if (end === "complete") return send(outgoing, recorded, { ...answer, body: half });
  recorded.status = answer.status;
  outgoing.writeHead(answer.status, { ...answer.headers, "content-length": String(whole.length) });
  outgoing.write(half, () => {
    if (end === "broken") outgoing.destroy();
  });
}

async function collect(body: Answer["body"]): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body ?? []) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}
