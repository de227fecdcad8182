// Signs of life of the parts of a process that go on by themselves: loops that no request starts and whose end nobody would
// notice. A part that is silent for longer than it ever should be is stuck, and only a new process helps. Being idle, or
// waiting for something that is away, is no silence: such a part rests, and says for how long.
import type { Clock } from "./clock.ts";

/** What is known of one part. Times are of `Clock.monotonic`. */
export type Progress = {
  readonly name: string;
  /** When it last gave a sign of life; in the future while it rests. */
  readonly lastAtMs: number;
  /** Longer than anything that the part waits for without resting, deadlines included. */
  readonly maxSilenceMs: number;
};

/** In the hands of one part. Disposed of when it ends in order. */
export interface Heartbeat extends Disposable {
  /** It goes on now. */
  beat(): void;
  /** It will wait on purpose, for `ms` at most. The next beat ends that. */
  rest(ms: number): void;
}

export type StalledPart = { readonly name: string; readonly silentMs: number };

/** All parts of a process. */
export class ProgressBoard {
  readonly #clock: Clock;
  readonly #parts = new Set<Progress>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  follow(name: string, maxSilenceMs: number): Heartbeat {
    const part = { name, maxSilenceMs, lastAtMs: this.#clock.monotonic() };
    this.#parts.add(part);
    return {
      beat: () => {
        part.lastAtMs = this.#clock.monotonic();
      },
      rest: (ms) => {
        part.lastAtMs = this.#clock.monotonic() + ms;
      },
      [Symbol.dispose]: () => void this.#parts.delete(part),
    };
  }

  stalled(): readonly StalledPart[] {
    const nowMs = this.#clock.monotonic();
    const silences = [...this.#parts].map(({ name, maxSilenceMs, lastAtMs }) => ({
      name,
      maxSilenceMs,
      silentMs: Math.round(nowMs - lastAtMs),
    }));
    const stalled = silences.filter(({ silentMs, maxSilenceMs }) => silentMs > maxSilenceMs);
    return stalled.map(({ name, silentMs }) => ({ name, silentMs }));
  }
}

/** For a part that nobody watches. */
export const unwatched: Heartbeat = {
  beat: () => undefined,
  rest: () => undefined,
  [Symbol.dispose]: () => undefined,
};
