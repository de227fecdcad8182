// How long a remote may take and how much it may say before it has to send the pack, or to take ours. The pack itself is
// limited by the quarantine, a run as a whole by its own timeout.

export type RemoteLimits = {
  /** Resolving, connecting and the TLS handshake. */
  readonly connectMs: number;
  /** From the request to the answer's headers. */
  readonly headersMs: number;
  /** From the last byte of a push to the answer's headers: some servers judge the whole pack before they answer at all. */
  readonly pushAnswerMs: number;
  /** Without a single byte of an answer. Servers that count objects send a keep-alive each 5 s (git's uploadpack.keepAlive). */
  readonly silenceMs: number;
  /** A body slower than `lowSpeedBytesPerSecond` over this time of waiting is given up; git's http.lowSpeedLimit and -Time. */
  readonly lowSpeedMs: number;
  readonly lowSpeedBytesPerSecond: number;
  /** Largest list of refs: about 1.5 million refs at 80 bytes each. */
  readonly refsBytes: number;
  /**
   * One request to a provider's API, with its whole answer, beside what sending it and its work there take. GitHub ends its own
   * after 10 s.
   */
  readonly apiAttemptMs: number;
  /** Slowest line on which a request's body is waited for: 2 Mbit/s. */
  readonly apiUploadBytesPerSecond: number;
  /** Largest answer of a provider's API: GitHub cuts its largest, a recursive tree, at 7 MB. */
  readonly apiAnswerBytes: number;
};

export const DEFAULT_REMOTE_LIMITS: RemoteLimits = {
  connectMs: 10_000,
  headersMs: 30_000,
  pushAnswerMs: 300_000,
  silenceMs: 30_000,
  lowSpeedMs: 60_000,
  lowSpeedBytesPerSecond: 1000,
  refsBytes: 128 * 1024 * 1024,
  apiAttemptMs: 15_000,
  apiUploadBytesPerSecond: 250_000,
  apiAnswerBytes: 16 * 1024 * 1024,
};
