// A Service as a cluster has it: each new connection goes to the next of the pods that are endpoints, and stays there for as long as both
// sides keep it, whatever becomes of the endpoint.
import { connect, createServer, type Socket } from "node:net";

export interface Service extends AsyncDisposable {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  /** Ports of the pods that get new connections. */
  endpoints: readonly number[];
}

export async function startService(endpoints: readonly number[]): Promise<Service> {
  const sockets = new Set<Socket>();
  let turn = 0;
  const server = createServer((client) => {
    const ports = service.endpoints;
    const pod = connect({ host: "127.0.0.1", port: ports[turn % ports.length] ?? 0 });
    turn += 1;
    for (const [socket, other] of [
      [client, pod],
      [pod, client],
    ] as const) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => other.destroy());
      socket.on("close", () => sockets.delete(socket));
      socket.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen({ host: "127.0.0.1", port: 0 }, resolve));
  const address = server.address();
  const service: Service = {
    url: `http://127.0.0.1:${address !== null && typeof address === "object" ? address.port : 0}`,
    endpoints,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  return service;
}
