// What every double has, whichever provider it plays: its address, what was asked of it, and an end that fails on violations.
import type { BareRepository } from "./bare-repository.ts";
import type { Faults } from "./faults.ts";
import type { HttpFront } from "./http-front.ts";
import type { RecordedRequest, Recording } from "./recording.ts";
import type { Violation, Violations } from "./violations.ts";
import type { WebhookSender } from "./webhook-sender.ts";

export type DoubleParts<World> = {
  readonly world: World;
  readonly faults: Faults;
  readonly recording: Recording;
  readonly violations: Violations;
  readonly front: HttpFront;
};

type DoubleWorld = { readonly sender: WebhookSender; readonly hooks: { settled(): Promise<void> } };

export abstract class ProviderDouble<World extends DoubleWorld> implements AsyncDisposable {
  readonly world: World;
  readonly faults: Faults;
  readonly #recording: Recording;
  readonly #violations: Violations;
  readonly #front: HttpFront;

  constructor({ world, faults, recording, violations, front }: DoubleParts<World>) {
    this.world = world;
    this.faults = faults;
    this.#recording = recording;
    this.#violations = violations;
    this.#front = front;
  }

  protected abstract gitRepositories(): Iterable<BareRepository>;

  /** The site, without a trailing slash. */
  get url(): string {
    return this.#front.url;
  }

  get sender(): WebhookSender {
    return this.world.sender;
  }

  get requests(): readonly RecordedRequest[] {
    return this.#recording.requests;
  }

  /** The most requests at once since the last `clear`. */
  get highWater(): number {
    return this.#recording.highWater;
  }

  /** Forgets the recorded requests. */
  clear(): void {
    this.#recording.clear();
  }

  /** Violations so far, which are then forgotten; what is left fails the disposal. */
  takeViolations(): Violation[] {
    return this.#violations.take();
  }

  /** Resolves when every webhook so far was sent and answered; held ones stay held. */
  hooksSettled(): Promise<void> {
    return this.world.hooks.settled();
  }

  /** @throws Error when there are violations left. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.world.sender.stop();
    await this.#front[Symbol.asyncDispose]();
    await this.world.hooks.settled();
    for (const git of this.gitRepositories()) await git[Symbol.asyncDispose]();
    this.#violations.throwIfAny();
  }
}
