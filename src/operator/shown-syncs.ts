// What rows of syncs had in them when they were projected last, in a form to compare.
import { createHash } from "node:crypto";
import type { SyncStatus } from "../domain/declaration.ts";

export class ShownSyncs {
  readonly #shown = new Map<string, string>();

  note(sync: SyncStatus): void {
    this.#shown.set(sync.id, fingerprint(sync));
  }

  /** Whether it differs from what was noted of it last. */
  isNews(sync: SyncStatus): boolean {
    return this.#shown.get(sync.id) !== fingerprint(sync);
  }

  delete(id: string): void {
    this.#shown.delete(id);
  }
}

/** The schedule moves with each poll, and no status shows it. */
function fingerprint({ nextRunAt: _, ...sync }: SyncStatus): string {
  return createHash("sha1").update(JSON.stringify(sync)).digest("base64");
}
