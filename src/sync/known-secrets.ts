// What deliveries prove themselves with, remembered by the sealed secret that it was derived from: opening it and deriving costs more
// than all else that a delivery takes here. Another secret is sealed otherwise, so that nothing remembered is ever out of date.
import { open, type SealingKeys } from "../db/seal.ts";
import { type WebhookSecrets, webhookSecrets } from "../domain/webhook-secrets.ts";

/** Some 300 bytes each. */
const MOST_KNOWN = 2_000;

export class KnownSecrets {
  readonly #keys: SealingKeys;
  readonly #known = new Map<string, WebhookSecrets>();

  constructor(keys: SealingKeys) {
    this.#keys = keys;
  }

  /** @throws CoregitError `CredentialUnreadable`. */
  of({ id, sealedSecret }: { readonly id: string; readonly sealedSecret: Uint8Array }): WebhookSecrets {
    const name = `${id} ${Buffer.from(sealedSecret).toString("latin1")}`;
    const secrets = this.#known.get(name) ?? webhookSecrets(open(this.#keys, { what: "webhook secret", id }, sealedSecret));
    this.#known.delete(name);
    this.#known.set(name, secrets);
    const [oldest] = this.#known.keys();
    if (this.#known.size > MOST_KNOWN && oldest !== undefined) this.#known.delete(oldest);
    return secrets;
  }
}
