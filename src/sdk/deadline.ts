// When a call ends at the latest: the caller's signal and a timeout as one signal, which tell afterwards who it was.

/** The longest delay that a timer takes, about 24 days. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

export type Deadline = {
  readonly signal: AbortSignal;
  readonly hasPassed: () => boolean;
  /** From now on only the caller's signal counts. */
  readonly lift: () => void;
};

/** @throws TypeError for a timeout that no timer takes. */
export function startDeadline(signal: AbortSignal | undefined, timeoutMs: number | undefined): Deadline {
  requireTimeout(timeoutMs);
  const timeout = new AbortController();
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => timeout.abort(), timeoutMs);
  return {
    signal: signal === undefined ? timeout.signal : AbortSignal.any([signal, timeout.signal]),
    hasPassed: () => timeout.signal.aborted,
    lift: () => clearTimeout(timer),
  };
}

/** @throws TypeError. */
export function requireTimeout(timeoutMs: number | undefined): void {
  if (timeoutMs === undefined || (timeoutMs > 0 && timeoutMs <= MAX_TIMEOUT_MS)) return;
  throw new TypeError(`timeoutMs must be more than 0 and at most ${MAX_TIMEOUT_MS} milliseconds.`);
}
