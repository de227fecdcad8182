// What the git conversation needs from whatever carries it: HTTP, or a local upload-pack. Both are stateless: every
// request is answered on its own.

export type Announcement = {
  /** Where requests go: redirects of the announcement have been followed. */
  readonly endpoint: string;
  readonly bytes: AsyncIterable<Uint8Array>;
};

/**
 * Streams are read at most once; stopping the iteration or aborting the signal ends the transfer. Failures are
 * CoregitErrors with the codes of `Remote`.
 */
export interface GitTransport extends AsyncDisposable {
  /** Requests made so far. */
  readonly calls: number;
  /** Asks for version 2 and returns the server's capabilities, or all of its refs where it knows no version 2. */
  announce(signal: AbortSignal): Promise<Announcement>;
  /** Sends one command of upload-pack and returns its answer. */
  request(endpoint: string, version: 0 | 2, body: Uint8Array, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
}
