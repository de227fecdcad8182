// A remote that speaks git's protocol. Holds the conversation: which request follows which, what is remembered, how slow
// and how long an answer may be. The words are in the neighbours, the bytes in a transport.
import { CoregitError, type ErrorCode } from "../../domain/errors.ts";
import type { Logger } from "../../domain/log.ts";
import { branchRef } from "../../domain/ref-name.ts";
import type { CommitApi } from "../commit-api.ts";
import type { FetchRequest, PushRequest, Remote, RemoteHead } from "../remote.ts";
import type { RepositoryLookup } from "../repository-lookup.ts";
import { readAdvertisement } from "./advertisement.ts";
import type { CapabilityCache, Session } from "./capability-cache.ts";
import { Exchange, type ExchangeOptions, type Send } from "./exchange.ts";
import { fetchRequest, readPack } from "./fetch.ts";
import { hasAnyRef, lsAnyRequest, lsHeadRequest, readHeadLines } from "./ls-refs.ts";
import type { PacketReader } from "./packet-reader.ts";
import { pushCommand, pushFailure, remoteMoved } from "./push.ts";
import { readReport } from "./push-report.ts";
import type { GitSide, GitTransport } from "./transport.ts";
import { openUpload, type Upload } from "./upload.ts";

export type GitRemoteOptions = ExchangeOptions & {
  readonly displayUrl: string;
  readonly transport: GitTransport;
  readonly cache: CapabilityCache;
  readonly cacheKey: string;
  /** How we name ourselves inside the protocol. */
  readonly agent: string;
  readonly logger: Logger;
  readonly commitApi: CommitApi | null;
  readonly lookup: RepositoryLookup | null;
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

/** Failures after which a push may have been done all the same, or been refused because the branch is elsewhere. */
const UNSETTLED_CODES: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "RemoteUnreachable",
  "RemoteProtocol",
  "RemoteTooSlow",
  "RemoteRefused",
]);

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
    return this.#options.transport.calls + (this.commitApi?.calls ?? 0) + (this.lookup?.calls ?? 0);
  }

  get commitApi(): CommitApi | null {
    return this.#options.commitApi;
  }

  get lookup(): RepositoryLookup | null {
    return this.#options.lookup;
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
    const reader = await exchange.open((own) =>
      this.#options.transport.request({ service: "upload-pack", endpoint, version: server.version, body }, own),
    );
    yield* readPack(reader, server.version);
  }

  async push(request: PushRequest, pack: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    branchRef(request.branch);
    const { session, head } = await this.#introduce("receive-pack", request.branch, signal);
    if ((head?.oid ?? null) !== request.expected) throw remoteMoved(request.branch);
    try {
      await this.#send(session, request, pack, signal);
    } catch (error) {
      if (!(error instanceof CoregitError) || !UNSETTLED_CODES.has(error.code) || signal.aborted) throw error;
      await this.#settle(request, error, signal);
    }
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
    const { cache, cacheKey, displayUrl, logger } = this.#options;
    const { session, head } = await this.#introduce("upload-pack", branch, signal);
    const { endpoint, server } = session;
    if (endpoint !== displayUrl) logger.info({ remote: displayUrl, endpoint }, "The remote redirects; declare its new address.");
    this.#session = session;
    if (server.version === 2) cache.set(cacheKey, session);
    return { session, head };
  }

  async #introduce(
    service: GitSide,
    branch: string | null,
    signal: AbortSignal,
  ): Promise<{ readonly session: Session; readonly head: RemoteHead | null }> {
    let endpoint = "";
    const send: Send = async (own) => {
      const announcement = await this.#options.transport.announce(service, own);
      endpoint = announcement.endpoint;
      return announcement.bytes;
    };
    const { server, head } = await this.#ask(send, (reader) => readAdvertisement(reader, branch), signal);
    return { session: { endpoint, server }, head };
  }

  /** One request; a second one only when the branch is missing, to tell an empty remote from a wrong name. */
  async #listHead(session: Session, branch: string | null, signal: AbortSignal): Promise<RemoteHead> {
    const { capabilities } = session.server;
    const { transport, agent } = this.#options;
    const command =
      (body: Uint8Array): Send =>
      (own) =>
        transport.request({ service: "upload-pack", endpoint: session.endpoint, version: 2, body }, own);
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

  /** @throws CoregitError what the remote's report says, or why there is none. */
  async #send(session: Session, request: PushRequest, pack: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    const { endpoint, server } = session;
    const { agent, limits, quote, transport } = this.#options;
    const command = pushCommand(request, server.capabilities, agent);
    const stall = new AbortController();
    const rule = { stallMs: limits.lowSpeedMs, onStall: (error: CoregitError) => stall.abort(error) };
    const upload = await openUpload(preceded(command, pack), rule);
    await using exchange = new Exchange(this.#options, AbortSignal.any([signal, stall.signal]));
    const send: Send = async (own) => {
      const { body } = upload;
      return await afterUpload(await transport.request({ service: "receive-pack", endpoint, version: 0, body }, own), upload);
    };
    try {
      const reader = await exchange.open(send, "verdict");
      const report = await readReport(reader, branchRef(request.branch), server.capabilities.has("side-band-64k"));
      const failure = pushFailure(report, request.branch, quote);
      if (failure !== null) throw failure;
      await reader.finish();
    } catch (error) {
      // Whatever the remote makes of half a pack, it was not its fault.
      throw upload.failure() ?? error;
    }
  }

  /** Where the branch is now tells what became of the push. @throws CoregitError `RemoteMoved`, or `failure`. */
  async #settle(request: PushRequest, failure: CoregitError, signal: AbortSignal): Promise<void> {
    const head = await this.readHead(request.branch, signal).catch(() => null);
    if (head?.oid === request.next) return;
    if (head === null || head.oid === request.expected) throw failure;
    throw new CoregitError("RemoteMoved", remoteMoved(request.branch).message, { cause: failure });
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

async function* preceded(command: Uint8Array, pack: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  yield command;
  yield* pack;
}

/** The answer once the push is sent: until then the remote may well be silent. */
async function afterUpload(answer: AsyncIterable<Uint8Array>, { settled }: Upload): Promise<AsyncIterable<Uint8Array>> {
  const chunks = answer[Symbol.asyncIterator]();
  // Begun now: an answer may carry the upload, and may break off before its end.
  const first = chunks.next();
  await Promise.race([settled, new Promise<never>((_, reject) => first.catch(reject))]);
  return resumed(first, chunks);
}

async function* resumed(
  first: Promise<IteratorResult<Uint8Array>>,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  try {
    for (let next = await first; next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}
