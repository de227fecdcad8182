// What HTTP asks of the rest of the program beside the store and the declarations. app.ts provides it.
import type { Repository } from "../repositories/store.ts";

export type GitRequest = {
  readonly repository: Repository;
  /** The `Git-Protocol` header as it came, or null. */
  readonly protocol: string | null;
  readonly signal: AbortSignal;
};

/** The server side of a clone or fetch, without HTTP. */
export interface UploadPack {
  /** What `info/refs` answers after the service line. Stopping the iteration or the signal ends the process behind it. */
  advertise(request: GitRequest): AsyncIterable<Uint8Array>;
  /** One stateless exchange: `body` is the decoded request, the result goes to the client as it comes. */
  serve(request: GitRequest, body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
}

/** The server side of a push, without HTTP. */
export interface ReceivePack {
  /** What `info/refs` answers after the service line. */
  advertise(request: GitRequest): AsyncIterable<Uint8Array>;
  /**
   * One push: `body` is the decoded request, with the pack, of which as much is read as is needed. The answer comes when
   * everything is done; what the signal ends before leaves nothing behind. `actor` is for the reflog.
   */
  serve(
    request: { readonly repository: Repository; readonly actor: string; readonly signal: AbortSignal },
    body: AsyncIterable<Uint8Array>,
  ): AsyncIterable<Uint8Array>;
}

/** One dependency as `/readyz` shows it; `reason` says what is wrong, null: nothing. */
export type DependencyCheck = { readonly name: string; readonly reason: string | null };

export interface Readiness {
  /** Asks each dependency now, with a deadline of its own. Never throws. */
  check(): Promise<readonly DependencyCheck[]>;
}

/** Wakes a watcher when what a sync shows has changed. */
export interface SyncChanges {
  /** `onChange` gets the id of a sync; `onGap` runs when changes may have been missed. Ends when disposed. */
  subscribe(handlers: { onChange(syncId: string): void; onGap(): void }): Promise<AsyncDisposable>;
}
