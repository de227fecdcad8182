// How much a client may ask of the server, and for how long.

export type HttpLimits = {
  /** Time for the request line and headers; a client that drips them slower is cut off. */
  readonly headersTimeoutMs: number;
  /** Time for a whole request, except for a push. Node's own default. */
  readonly requestTimeoutMs: number;
  /** Silence in the body of a push. git sends as fast as it can, and packs before it sends. */
  readonly bodyIdleMs: number;
  /** Silence of a client that should take an answer. git itself sends a sign of life every 5 s while it packs. */
  readonly answerIdleMs: number;
  /** How often connections past these times are looked for. */
  readonly timeoutCheckMs: number;
  /** Open connections of one process; the next ones are closed at once, before they cost memory. */
  readonly maxConnections: number;
  /** Time for the whole body of a webhook's delivery. Providers give up on an answer after ten seconds, GitHub Enterprise after 30. */
  readonly signedBodyMs: number;
  /** JSON bodies. git's bodies have a limit of their own. */
  readonly maxJsonBytes: number;
  /** Longer parts of an address are refused before a route sees them. */
  readonly maxParamLength: number;
  /** How long a closing server goes on to answer; each answer asks the client to take another connection the next time. */
  readonly closeLingerMs: number;
};

export const HTTP_LIMITS: HttpLimits = {
  headersTimeoutMs: 15_000,
  requestTimeoutMs: 300_000,
  bodyIdleMs: 120_000,
  answerIdleMs: 120_000,
  signedBodyMs: 30_000,
  timeoutCheckMs: 5_000,
  maxConnections: 2_000,
  maxJsonBytes: 1024 * 1024,
  maxParamLength: 1_000,
  closeLingerMs: 2_000,
};
