// A GitLab of many faces: how it answers is the first part of the path of its base URL. For connections that are to be refused in
// every way that there is.
import { createServer, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { answerJson } from "../answering-server.ts";
import { createTestCertificate } from "../certificates.ts";

export interface OddProvider extends AsyncDisposable {
  /** Base URLs by what follows from them. */
  readonly good: string;
  /** By the code of the refusal. */
  readonly odd: Readonly<Record<string, string>>;
}

const FACES: Readonly<Record<string, (response: ServerResponse) => void>> = {
  good: (response) => answerJson(response, 200, { username: "dev", scopes: ["api"], expires_at: null }),
  CREDENTIAL_INVALID: (response) => answerJson(response, 401, { message: "401 Unauthorized" }),
  REDIRECT_REFUSED: (response) => response.writeHead(302, { location: "https://login.example.com/" }).end(),
  REMOTE_PROTOCOL: (response) => response.writeHead(200, { "content-type": "text/html" }).end("<html>"),
  RATE_LIMITED: (response) => response.writeHead(429, { "retry-after": "5" }).end("Retry later\n"),
  REMOTE_UNREACHABLE: (response) => response.destroy(),
  REMOTE_TOO_SLOW: () => undefined,
};

export async function startOddProvider(): Promise<OddProvider> {
  await using stack = new AsyncDisposableStack();
  const server = createServer((request, response) => FACES[request.url?.split("/")[1] ?? ""]?.(response));
  const url = `http://127.0.0.1:${await listen(stack, server)}`;
  const { cert, key } = createTestCertificate(["IP:127.0.0.1"]);
  const untrusted = await listen(stack, createTlsServer({ cert, key }));
  const odd = Object.keys(FACES).flatMap((face) => (face === "good" ? [] : [[face, `${url}/${face}`]]));
  const owned = stack.move();
  return {
    good: `${url}/good`,
    odd: {
      ...Object.fromEntries(odd),
      CERTIFICATE_INVALID: `https://127.0.0.1:${untrusted}`,
      ADDRESS_REFUSED: "https://10.0.0.1",
      // Neither loopback nor listed: a credential is not sent there in clear text.
      INVALID_SPEC: "http://git.example.com",
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function listen(stack: AsyncDisposableStack, server: Server & { closeAllConnections(): void }): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  stack.defer(async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  });
  return (server.address() as AddressInfo).port;
}
