// GitHub's points: reads cost 1, writes 5, and a minute has room for 900 of them. Counts what was spent in the last minute.
// Source: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits

const POINTS = 900;
/** A minute, and a second more: the provider counts from the arrival of a request, this from its start. */
const WINDOW_MS = 61_000;

export class PointsWindow {
  /** Spent points of one second each, oldest first. */
  #spent: { readonly atMs: number; points: number }[] = [];
  #sum = 0;

  /** When `points` more fit in, epoch milliseconds; not after `nowMs`: now. */
  freeAtMs(points: number, nowMs: number): number {
    this.#forget(nowMs);
    let over = this.#sum + points - POINTS;
    if (over <= 0) return nowMs;
    for (const { atMs, points: spent } of this.#spent) {
      over -= spent;
      if (over <= 0) return atMs + WINDOW_MS;
    }
    return nowMs;
  }

  spend(points: number, nowMs: number): void {
    const last = this.#spent.at(-1);
    if (last !== undefined && nowMs - last.atMs < 1000) last.points += points;
    else this.#spent.push({ atMs: nowMs, points });
    this.#sum += points;
  }

  #forget(nowMs: number): void {
    while (this.#spent[0] !== undefined && this.#spent[0].atMs + WINDOW_MS <= nowMs) {
      this.#sum -= this.#spent.shift()?.points ?? 0;
    }
  }
}
