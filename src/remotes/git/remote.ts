// A remote that speaks git's protocol. Holds the conversation: which request follows which, what is remembered, how slow
// and how long an answer may be. The words are in the neighbours, the bytes in a transport.
import { CoregitError, type ErrorCode } from "../../domain/errors.ts";
import type { Logger } from "../../domain/log.ts";
import { branchRef } from "../../domain/ref-name.ts";
import type { RemoteLimits } from "../limits.ts";
import type { FetchRequest, Remote, RemoteHead } from "../remote.ts";
import { readAdvertisement } from "./advertisement.ts";
import type { CapabilityCache, Session } from "./capability-cache.ts";
import { fetchRequest, readPack } from "./fetch.ts";
import { hasAnyRef, lsAnyRequest, lsHeadRequest, readHeadLines } from "./ls-refs.ts";
import { type PaceRule, paced } from "./pace.ts";
import { PacketReader } from "./packet-reader.ts";
import type { Quote } from "./remote-text.ts";
import type { GitTransport } from "./transport.ts";

export type GitRemoteOptions = {
  readonly displayUrl: string;
  readonly transport: GitTransport;
  readonly cache: CapabilityCache;
  readonly cacheKey: string;
  readonly limits: RemoteLimits;
  /** Monotonic milliseconds. */
  readonly monotonic: () => number;
  /** How we name ourselves inside the protocol. */
  readonly agent: string;
  readonly quote: Quote;
  readonly logger: Logger;
  /** Told once, when the remote is disposed of. */
  readonly onClosed: () => void;
};

/** Failures that may mean no more than that the server is no longer what is remembered of it. */
const STALE_CODES: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "RemoteProtocol",
  "RemoteUnsupported",
  "RemoteNotFound",
  "RedirectRefused",
  "AddressRefused",
]);

/** While a server counts objects it sends a few bytes each 5 s: the low-speed rule holds only once more than that has come. */
const COUNTING_BYTES = 1024;

type Send = (signal: AbortSignal) => Promise<AsyncIterable<Uint8Array>>;

export class GitRemote implements Remote {
  readonly #options: GitRemoteOptions;
  #session: Session | null = null;
  #isClosed = false;

  constructor(options: GitRemoteOptions) {
    this.#options = options;
  }

  get displayUrl(): string {
    return this.#options.displayUrl;
  }

  get calls(): number {
    return this.#options.transport.calls;
  }

  async readHead(branch: string | null, signal: AbortSignal): Promise<RemoteHead> {
    if (branch !== null) branchRef(branch);
    const { cache, cacheKey } = this.#options;
    const known = cache.get(cacheKey);
    if (known !== null) {
      try {
        return await this.#listHead(known, branch, signal);
      } catch (error) {
        if (!(error instanceof CoregitError) || !STALE_CODES.has(error.code)) throw error;
        cache.delete(cacheKey);
      }
    }
    const { session, head } = await this.#announce(branch, signal);
    return head ?? this.#listHead(session, branch, signal);
  }

  async *fetchPack(request: FetchRequest, signal: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
    const session =
      this.#session ?? this.#options.cache.get(this.#options.cacheKey) ?? (await this.#announce(null, signal)).session;
    const { server, endpoint } = session;
    const body = fetchRequest(server, request, this.#options.agent);
    await using exchange = new Exchange(this.#options, signal);
    const reader = await exchange.open((own) => this.#options.transport.request(endpoint, server.version, body, own));
    yield* readPack(reader, server.version);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#options.onClosed();
    await this.#options.transport[Symbol.asyncDispose]();
  }

  /** Finds out what the server can do; one without version 2 tells its head in the same answer. */
  async #announce(
    branch: string | null,
    signal: AbortSignal,
  ): Promise<{ readonly session: Session; readonly head: RemoteHead | null }> {
    const { transport, cache, cacheKey, displayUrl, logger } = this.#options;
    let endpoint = "";
    const send: Send = async (own) => {
      const announcement = await transport.announce(own);
      endpoint = announcement.endpoint;
      return announcement.bytes;
    };
    const { server, head } = await this.#ask(send, (reader) => readAdvertisement(reader, branch), signal);
    if (endpoint !== displayUrl) logger.info({ remote: displayUrl, endpoint }, "The remote redirects; declare its new address.");
    const session: Session = { endpoint, server };
    this.#session = session;
    if (server.version === 2) cache.set(cacheKey, session);
    return { session, head };
  }

  /** One request; a second one only when the branch is missing, to tell an empty remote from a wrong name. */
  async #listHead(session: Session, branch: string | null, signal: AbortSignal): Promise<RemoteHead> {
    const { capabilities } = session.server;
    const { transport, agent } = this.#options;
    const command =
      (body: Uint8Array): Send =>
      (own) =>
        transport.request(session.endpoint, 2, body, own);
    const head = await this.#ask(
      command(lsHeadRequest(branch, capabilities, agent)),
      (reader) => readHeadLines(reader, branch),
      signal,
    );
    this.#session = session;
    if (head.oid !== null) return head;
    await using exchange = new Exchange(this.#options, signal);
    return { ...head, isEmpty: !(await hasAnyRef(await exchange.open(command(lsAnyRequest(capabilities, agent))))) };
  }

  /** A small answer, read whole. */
  async #ask<T>(send: Send, read: (reader: PacketReader) => Promise<T>, signal: AbortSignal): Promise<T> {
    await using exchange = new Exchange(this.#options, signal);
    const reader = await exchange.open(send, "whole");
    const result = await read(reader);
    await reader.finish();
    return result;
  }
}

/** One request and its answer, under the limits. Disposal ends the transfer. */
class Exchange implements AsyncDisposable {
  readonly #options: GitRemoteOptions;
  readonly #own = new AbortController();
  readonly #signal: AbortSignal;
  #reader: PacketReader | null = null;

  constructor(options: GitRemoteOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = AbortSignal.any([signal, this.#own.signal]);
  }

  /** `whole`: the answer is a list, which has a size limit and has to come quickly from its first byte. */
  async open(send: Send, extent: "whole" | "stream" = "stream"): Promise<PacketReader> {
    const { limits, quote } = this.#options;
    const { silenceMs, lowSpeedMs, lowSpeedBytesPerSecond } = limits;
    const heard = this.#paced(await send(this.#signal), { windowMs: silenceMs, minimumBytes: 1, graceBytes: 0 });
    const bytes = this.#paced(heard, {
      windowMs: lowSpeedMs,
      minimumBytes: Math.floor((lowSpeedBytesPerSecond * lowSpeedMs) / 1000),
      graceBytes: extent === "whole" ? 0 : COUNTING_BYTES,
    });
    this.#reader = new PacketReader(extent === "whole" ? limited(bytes, limits.refsBytes) : bytes, quote);
    return this.#reader;
  }

  #paced(source: AsyncIterable<Uint8Array>, rule: PaceRule): AsyncGenerator<Uint8Array, void, void> {
    return paced(source, rule, (error) => this.#own.abort(error), this.#options.monotonic);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#own.abort();
    await this.#reader?.[Symbol.asyncDispose]();
  }
}

async function* limited(source: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Uint8Array, void, void> {
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new CoregitError("RemoteProtocol", `The remote's list of refs is longer than ${maxBytes} bytes.`);
    yield chunk;
  }
}
