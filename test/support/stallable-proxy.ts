// A TCP proxy that can fall silent: connections stay open and carry nothing, as when a firewall forgets them.

import { connect, createServer, type Socket } from "node:net";

export interface StallableProxy extends AsyncDisposable {
  readonly port: number;
  /** How many connections were made through it so far. */
  readonly connections: number;
  /** Silences the connections that are there; new ones work. */
  stall(): void;
}

export async function startStallableProxy(target: { readonly host: string; readonly port: number }): Promise<StallableProxy> {
  const pairs: (readonly [Socket, Socket])[] = [];
  const server = createServer((client) => {
    const upstream = connect(target);
    client.on("error", () => upstream.destroy()).on("close", () => upstream.destroy());
    upstream.on("error", () => client.destroy()).on("close", () => client.destroy());
    client.pipe(upstream);
    upstream.pipe(client);
    pairs.push([client, upstream]);
  });
  await new Promise<void>((resolve) => server.listen({ host: "127.0.0.1", port: 0 }, resolve));
  const address = server.address();
  return {
    port: address !== null && typeof address === "object" ? address.port : 0,
    get connections() {
      return pairs.length;
    },
    stall() {
      for (const [client, upstream] of pairs) {
        client.unpipe(upstream).pause();
        upstream.unpipe(client).pause();
      }
    },
    async [Symbol.asyncDispose]() {
      for (const socket of pairs.flat()) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
