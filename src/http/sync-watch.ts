// A stream of what syncs show: every sync once, then each one again whenever it changes, as lines of JSON. Changes that
// arrive faster than the reader takes them coalesce by sync: it misses intermediate states, never the last one.
import { setTimeout as delay } from "node:timers/promises";
import type { Declarations } from "../sync/declarations.ts";
import type { SyncChanges } from "./ports.ts";
import { presentSync } from "./present/present-sync.ts";

export type WatchPorts = { readonly declarations: Declarations; readonly changes: SyncChanges };

/** Without a change for this long, an empty line keeps proxies from closing the connection. */
const HEARTBEAT_MS = 15_000;

/**
 * Lines `{"type":"sync","sync":{…}}`, `{"type":"synced"}` once all that there were have been sent, and
 * `{"type":"deleted","id":"…"}`; empty lines mean nothing. Ends with `signal`.
 */
export async function* watchSyncs(
  { declarations, changes }: WatchPorts,
  namespace: string | null,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const queue = new ChangeQueue();
  const filter = namespace === null ? {} : { namespace };
  // Subscribed before the list is read, so that no change falls between them.
  await using _subscription = await changes.subscribe({ onChange: (id) => queue.add(id), onGap: () => queue.addGap() });
  const shown = new Set<string>();
  while (!signal.aborted) {
    const { ids, isGap } = queue.take();
    if (isGap) yield* listed(await declarations.listSyncs(filter), shown);
    for (const id of ids) yield* changed(await declarations.readSync(id), { id, namespace, shown });
    if (!(await queue.wait(HEARTBEAT_MS, signal))) yield "\n";
  }
}

type Sync = NonNullable<Awaited<ReturnType<Declarations["readSync"]>>>;

function* listed(syncs: readonly Sync[], shown: Set<string>): Generator<string> {
  const present = new Set(syncs.map((sync) => sync.id));
  for (const id of [...shown].filter((known) => !present.has(known))) {
    shown.delete(id);
    yield line({ type: "deleted", id });
  }
  for (const sync of syncs) {
    shown.add(sync.id);
    yield line({ type: "sync", sync: presentSync(sync) });
  }
  yield line({ type: "synced" });
}

function* changed(
  sync: Sync | null,
  { id, namespace, shown }: { readonly id: string; readonly namespace: string | null; readonly shown: Set<string> },
): Generator<string> {
  if (sync === null) {
    if (shown.delete(id)) yield line({ type: "deleted", id });
    return;
  }
  if (namespace !== null && sync.namespace !== namespace) return;
  shown.add(id);
  yield line({ type: "sync", sync: presentSync(sync) });
}

function line(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

/** Ids that changed since they were last taken. Begins with a gap: nothing has been read yet. */
class ChangeQueue {
  #ids = new Set<string>();
  #isGap = true;
  #wake: (() => void) | null = null;

  add(id: string): void {
    this.#ids.add(id);
    this.#wake?.();
  }

  addGap(): void {
    this.#isGap = true;
    this.#wake?.();
  }

  take(): { readonly ids: ReadonlySet<string>; readonly isGap: boolean } {
    const taken = { ids: this.#isGap ? new Set<string>() : this.#ids, isGap: this.#isGap };
    this.#ids = new Set();
    this.#isGap = false;
    return taken;
  }

  /** Resolves with true when there is something to take, false after `timeoutMs`, either when `signal` aborts. */
  async wait(timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    if (this.#isGap || this.#ids.size > 0) return true;
    const woken = Promise.withResolvers<true>();
    const timer = new AbortController();
    this.#wake = () => woken.resolve(true);
    const timedOut = delay(timeoutMs, false, { signal: AbortSignal.any([signal, timer.signal]) }).catch(() => true);
    try {
      return await Promise.race([woken.promise, timedOut]);
    } finally {
      this.#wake = null;
      timer.abort();
    }
  }
}
