// An HTTP server on loopback that keeps what it is asked and answers as a test says.
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export type AskedRequest = {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Parsed JSON; null: there was none. */
  readonly body: unknown;
};

export interface AnsweringServer extends AsyncDisposable {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  /** What was asked, in order. */
  readonly asked: AskedRequest[];
}

export async function startAnsweringServer(
  answer: (request: AskedRequest, response: ServerResponse) => void,
): Promise<AnsweringServer> {
  const asked: AskedRequest[] = [];
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const { method = "", url: path = "", headers } = request;
    const one = { method, path, headers, body: body === "" ? null : JSON.parse(body) };
    asked.push(one);
    answer(one, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

export function answerJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
