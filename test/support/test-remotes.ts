// Remotes as the program opens them, for a server on loopback, with a remote of provider `git` as the usual case.
import { basename, dirname } from "node:path";
import { inspect } from "node:util";
import { systemClock } from "../../src/domain/clock.ts";
import type { CoregitError } from "../../src/domain/errors.ts";
import type { Oid } from "../../src/domain/oid.ts";
import { openRemotes, type RemotesOptions } from "../../src/remotes/open-remotes.ts";
import type { FetchRequest, Remote, RemoteTarget } from "../../src/remotes/remote.ts";
import { type GitHttpServer, type GitHttpServerOptions, startGitHttpServer } from "./git-http-server.ts";
import { knowSecretsIn } from "./secrets/declared-secrets.ts";
import { keepSaid } from "./secrets/evidence.ts";
import { silentLogger } from "./silent-logger.ts";
import type { SourceRepository } from "./source-repository.ts";

export type TestRemotes = AsyncDisposable & {
  open(remote: string, more?: Partial<RemoteTarget>): Remote;
};

/** Loopback is allowed unless `options` say otherwise. */
export function openTestRemotes(options: Partial<RemotesOptions> = {}): TestRemotes {
  const remotes = openRemotes({
    allowedHosts: ["127.0.0.0/8"],
    fileRemotes: [],
    runLocalUploadPack: null,
    userAgent: "coregit/test",
    clock: systemClock,
    logger: silentLogger,
    ...options,
  });
  return {
    open(remote, more = {}) {
      knowSecretsIn("a remote", more.credential);
      return remotes.open({ provider: "git", baseUrl: null, remote, credential: null, caPem: null, ...more });
    },
    [Symbol.asyncDispose]: () => remotes[Symbol.asyncDispose](),
  };
}

/** Serves a source repository; `remoteUrl` names it on the server. */
export async function serveSource(
  source: SourceRepository,
  options: Omit<GitHttpServerOptions, "root"> = {},
): Promise<GitHttpServer & { readonly remoteUrl: string }> {
  const server = await startGitHttpServer({ root: dirname(source.path), ...options });
  return Object.assign(server, { remoteUrl: `${server.url}/${basename(source.path)}` });
}

export function deadline(ms = 20_000): AbortSignal {
  return AbortSignal.timeout(ms);
}

/** The whole pack of a fetch. */
export async function fetchWhole(remote: Remote, request: FetchRequest | Oid, signal = deadline()): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  const wanted = typeof request === "string" ? { oid: request, have: null } : request;
  for await (const chunk of remote.fetchPack(wanted, signal)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** What a promise is rejected with, as code and sentence; fails when it is fulfilled. */
export async function failureOf(promise: Promise<unknown>): Promise<{ readonly code: string; readonly message: string }> {
  try {
    await promise;
  } catch (error) {
    keepSaid("an error", inspect(error, { depth: 8 }));
    const { code, message } = error as CoregitError;
    return { code, message };
  }
  throw new Error("It did not fail.");
}
