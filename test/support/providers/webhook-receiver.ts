// A server on loopback that takes webhooks and keeps them, with the raw bytes that their signatures are over.
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

export type ReceivedDelivery = { readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: Buffer };

export interface WebhookReceiver extends AsyncDisposable {
  /** Any path below it is taken. */
  readonly url: string;
  readonly deliveries: readonly ReceivedDelivery[];
  /** Status of the answers, 202 at first. */
  status: number;
}

export async function startWebhookReceiver(): Promise<WebhookReceiver> {
  const deliveries: ReceivedDelivery[] = [];
  const server = createServer(async (request, response) => {
    deliveries.push({ path: request.url ?? "", headers: request.headers, body: await buffer(request) });
    response.writeHead(receiver.status).end();
  });
  server.listen({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const receiver: WebhookReceiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    deliveries,
    status: 202,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  return receiver;
}
