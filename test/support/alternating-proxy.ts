// A load balancer without affinity: each request goes to the next of several servers, whatever connection it came by.
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";

export interface AlternatingProxy extends AsyncDisposable {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  /** Requests that each server has answered, in the order of `urls`. */
  readonly answered: readonly number[];
}

export async function startAlternatingProxy(urls: readonly string[]): Promise<AlternatingProxy> {
  const answered = urls.map(() => 0);
  let turn = 0;
  const server = createServer((incoming, outgoing) => {
    const index = turn % urls.length;
    turn += 1;
    passOn(incoming, outgoing, urls[index] ?? "");
    outgoing.once("finish", () => {
      answered[index] = (answered[index] ?? 0) + 1;
    });
  });
  await new Promise<void>((resolve) => server.listen({ host: "127.0.0.1", port: 0 }, resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${address !== null && typeof address === "object" ? address.port : 0}`,
    answered,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function passOn(incoming: IncomingMessage, outgoing: ServerResponse, upstream: string): void {
  const options = { method: incoming.method, headers: incoming.headers, agent: false } as const;
  const forwarded = request(`${upstream}${incoming.url}`, options, (response) => {
    outgoing.writeHead(response.statusCode ?? 502, response.headers);
    response.pipe(outgoing);
  });
  forwarded.once("error", () => outgoing.destroy());
  incoming.pipe(forwarded);
}
