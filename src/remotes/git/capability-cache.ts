// What servers can do, remembered between runs so that asking for a head costs one request. Only servers of protocol
// version 2 are remembered: older ones announce capabilities and refs in one answer anyway.
import type { Server } from "./advertisement.ts";

/** A server as it was found: where its requests go and what it can do. */
export type Session = { readonly endpoint: string; readonly server: Server };

/** One entry a remote; a deployment with more remotes asks once more for those it has forgotten. */
const MAX_ENTRIES = 10_000;

export class CapabilityCache {
  readonly #entries = new Map<string, Session>();

  get(key: string): Session | null {
    const session = this.#entries.get(key);
    if (session === undefined) return null;
    this.#entries.delete(key);
    this.#entries.set(key, session);
    return session;
  }

  set(key: string, session: Session): void {
    this.#entries.delete(key);
    this.#entries.set(key, session);
    if (this.#entries.size <= MAX_ENTRIES) return;
    const oldest = this.#entries.keys().next();
    if (oldest.done !== true) this.#entries.delete(oldest.value);
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }
}
