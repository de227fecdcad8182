// What the git conversation needs from whatever carries it: HTTP, or git on a folder of this machine. Both are stateless:
// every request is answered on its own.

/** Who answers: the side of git that reads for us, or the one that takes a push. */
export type GitSide = "upload-pack" | "receive-pack";

export type Announcement = {
  /** Where requests go: redirects of the announcement have been followed. */
  readonly endpoint: string;
  readonly bytes: AsyncIterable<Uint8Array>;
};

export type GitRequest = {
  readonly service: GitSide;
  readonly endpoint: string;
  readonly version: 0 | 2;
  /** A stream is read once, as fast as the remote takes it. */
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
};

/**
 * Streams are read at most once; stopping the iteration or aborting the signal ends the transfer. Failures are
 * CoregitErrors with the codes of `Remote`.
 */
export interface GitTransport extends AsyncDisposable {
  /** Requests made so far. */
  readonly calls: number;
  /**
   * Of upload-pack: asks for version 2 and returns its capabilities, or all of its refs where it knows no version 2. Of
   * receive-pack: its capabilities and all of its refs.
   */
  announce(service: GitSide, signal: AbortSignal): Promise<Announcement>;
  /** Sends one command and returns its answer. */
  request(request: GitRequest, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
}
