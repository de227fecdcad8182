// Really sends webhook deliveries over HTTP, and really loses, doubles, holds and reorders them on order. What a delivery says
// and how it is signed is the provider's; this keeps what was sent and what came back.
import type { Clock } from "../../../src/domain/clock.ts";

export type OutgoingDelivery = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
};

export type DeliveryResult = {
  /** Null: no answer within the deadline, or no connection. */
  readonly status: number | null;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly durationMs: number;
};

/** What becomes of a delivery on its way. `hold` keeps it until `release`. */
export type DeliveryFate = "send" | "lose" | "twice" | "hold";

/** Both providers give a receiver 10 seconds. */
const RECEIVER_DEADLINE_MS = 10_000;
/** Both drop an event whose payload is larger. */
export const PAYLOAD_LIMIT_BYTES = 25 * 1024 * 1024;

type Held = { readonly delivery: OutgoingDelivery; readonly onResult: (result: DeliveryResult) => void };

export class WebhookSender {
  /** Decides what becomes of the deliveries; default: all are sent. */
  fate: (delivery: OutgoingDelivery) => DeliveryFate = () => "send";
  deadlineMs = RECEIVER_DEADLINE_MS;
  readonly #clock: Clock;
  readonly #running = new Set<Promise<void>>();
  readonly #held: Held[] = [];
  readonly #stopped = new AbortController();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get held(): number {
    return this.#held.length;
  }

  /** Sends in the background. `onResult` is called once for each time that the receiver was asked. */
  send(delivery: OutgoingDelivery, onResult: (result: DeliveryResult) => void): void {
    const fate = this.fate(delivery);
    if (fate === "hold") this.#held.push({ delivery, onResult });
    if (fate === "send" || fate === "twice") this.#start(delivery, onResult);
    if (fate === "twice") this.#start(delivery, onResult);
  }

  /** Lets held deliveries go one after the other, in their order or in reverse. */
  async release(order: "inOrder" | "reversed" = "inOrder"): Promise<void> {
    const held = this.#held.splice(0);
    if (order === "reversed") held.reverse();
    for (const { delivery, onResult } of held) await this.#start(delivery, onResult);
  }

  /** Resolves when no delivery is under way. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.settled();
  }

  #start(delivery: OutgoingDelivery, onResult: (result: DeliveryResult) => void): Promise<void> {
    const sending = this.#post(delivery).then((result) => {
      if (!this.#stopped.signal.aborted) onResult(result);
    });
    const tracked = sending.finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
    return tracked;
  }

  async #post({ url, headers, body }: OutgoingDelivery): Promise<DeliveryResult> {
    const startedMs = this.#clock.monotonic();
    const signal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(this.deadlineMs)]);
    try {
      const response = await fetch(url, { method: "POST", headers, body: new Uint8Array(body), redirect: "manual", signal });
      const text = await response.text();
      const durationMs = this.#clock.monotonic() - startedMs;
      return { status: response.status, body: text, headers: Object.fromEntries(response.headers), durationMs };
    } catch {
      return { status: null, body: "", headers: {}, durationMs: this.#clock.monotonic() - startedMs };
    }
  }
}
