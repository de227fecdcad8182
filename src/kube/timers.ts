// Waiting as a parameter: what fires later is scheduled here, so that tests move time by hand.

export interface Timers {
  /** Runs `work` once after `delayMs`, unless disposed before. Does not keep the process alive. */
  after(delayMs: number, work: () => void): Disposable;
}

/** The longest delay that setTimeout takes; longer ones would fire at once. */
const LONGEST_MS = 2 ** 31 - 1;

export const systemTimers: Timers = {
  after(delayMs, work) {
    const timer = setTimeout(work, Math.min(Math.max(0, delayMs), LONGEST_MS));
    timer.unref();
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};

/** Resolves after `delayMs`, or at once when `signal` aborts. Never rejects. */
export function pause(timers: Timers, delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = (): void => {
      timer[Symbol.dispose]();
      signal.removeEventListener("abort", finish);
      resolve();
    };
    const timer = timers.after(delayMs, finish);
    signal.addEventListener("abort", finish);
  });
}
