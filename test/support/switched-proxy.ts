// A TCP proxy that can be away: connections break and new ones are refused, until it is there again.
import { connect, createServer, type Server, type Socket } from "node:net";

export interface SwitchedProxy extends AsyncDisposable {
  readonly port: number;
  /** Breaks what is connected and takes nothing more. */
  leave(): Promise<void>;
  /** Listens on the same port again. */
  comeBack(): Promise<void>;
}

export type SwitchedProxyOptions = { readonly host: string; readonly port: number; readonly isAway?: boolean };

export async function startSwitchedProxy({
  host,
  port: targetPort,
  isAway = false,
}: SwitchedProxyOptions): Promise<SwitchedProxy> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect({ host, port: targetPort });
    for (const [one, other] of [[client, upstream] as const, [upstream, client] as const]) {
      sockets.add(one);
      one
        .on("error", () => other.destroy())
        .on("close", () => {
          sockets.delete(one);
          other.destroy();
        });
      one.pipe(other);
    }
  });
  const leave = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  const port = await listen(server, 0);
  if (isAway) await leave();
  return {
    port,
    leave,
    comeBack: async () => void (await listen(server, port)),
    [Symbol.asyncDispose]: () => (server.listening ? leave() : Promise.resolve()),
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: "127.0.0.1", port }, () => {
      server.off("error", reject);
      const address = server.address();
      resolve(address !== null && typeof address === "object" ? address.port : 0);
    });
  });
}
