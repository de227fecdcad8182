// Stands between the AWS SDK and an S3 server and does, once per order, what networks and overloaded servers do. Requests pass
// unchanged, so that their signatures hold.
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

export type S3Fault =
  /** The connection breaks before the request has reached the server. */
  | { readonly kind: "reset" }
  /** The server does as asked; the connection breaks before its answer. */
  | { readonly kind: "loseAnswer" }
  /** An error of the proxy's making; 200 without a body when `code` is empty. */
  | { readonly kind: "answer"; readonly status: number; readonly code: string }
  /** Nobody ever answers. */
  | { readonly kind: "stall" }
  /** The first half of the body comes, and then the connection breaks, or stays silent. */
  | { readonly kind: "halfBody"; readonly end: "broken" | "silent" }
  | { readonly kind: "flipRequestBit" }
  | { readonly kind: "flipAnswerBit" };

export interface S3Proxy extends AsyncDisposable {
  readonly port: number;
  /** `PUT /bucket/key?query` of each request so far. */
  readonly requests: readonly string[];
  /** The next `times` requests that match meet this fault. Faults of one kind of request follow each other. */
  order(matching: RegExp, fault: S3Fault, times?: number): void;
}

type Exchange = { readonly incoming: IncomingMessage; readonly outgoing: ServerResponse; readonly port: number };

export async function startS3Proxy(port: number): Promise<S3Proxy> {
  const requests: string[] = [];
  const orders: { readonly matching: RegExp; readonly fault: S3Fault }[] = [];
  const server = createServer((incoming, outgoing) => {
    const line = `${incoming.method} ${incoming.url}`;
    requests.push(line);
    const index = orders.findIndex(({ matching }) => matching.test(line));
    const [order] = index < 0 ? [] : orders.splice(index, 1);
    pass({ incoming, outgoing, port }, order?.fault ?? null).catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve) => server.listen({ host: "127.0.0.1", port: 0 }, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    order(matching, fault, times = 1) {
      for (let count = 0; count < times; count += 1) orders.push({ matching, fault });
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function pass(exchange: Exchange, fault: S3Fault | null): Promise<void> {
  const { incoming, outgoing } = exchange;
  const sent = await buffer(incoming);
  switch (fault?.kind) {
    case "reset":
      return void outgoing.destroy();
    case "stall":
      return;
    case "answer":
      return answer(outgoing, fault.status, fault.code);
    case "flipRequestBit":
      flipBit(sent);
  }
  const { head, body } = await forward(exchange, sent);
  if (fault?.kind === "loseAnswer") return void outgoing.destroy();
  if (fault?.kind === "flipAnswerBit") flipBit(body);
  outgoing.writeHead(head.statusCode ?? 502, head.rawHeaders);
  if (fault?.kind !== "halfBody") return void outgoing.end(body);
  outgoing.write(body.subarray(0, body.length / 2), () => {
    if (fault.end === "broken") outgoing.destroy();
  });
}

function forward({ incoming, port }: Exchange, sent: Buffer): Promise<{ readonly head: IncomingMessage; readonly body: Buffer }> {
  return new Promise((resolve, reject) => {
    const { method, url: path, rawHeaders: headers } = incoming;
    const asked = request({ host: "127.0.0.1", port, method, path, headers, setHost: false, agent: false }, (head) => {
      buffer(head).then((body) => resolve({ head, body }), reject);
    });
    asked.on("error", reject).end(sent);
  });
}

function answer(outgoing: ServerResponse, status: number, code: string): void {
  outgoing.writeHead(status, { "content-type": "application/xml" });
  outgoing.end(code === "" ? "" : `<?xml version="1.0"?><Error><Code>${code}</Code><Message>As ordered.</Message></Error>`);
}

function flipBit(bytes: Buffer): void {
  const middle = Math.floor(bytes.length / 2);
  bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle);
}
