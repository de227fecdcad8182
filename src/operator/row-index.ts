// Which resource a row belongs to: notifications of the database name rows, queues take keys.
import type { Owner } from "../domain/sync-spec.ts";
import type { ObjectKey } from "../kube/object.ts";

type Entry = { readonly rowId: string; readonly owner: Owner };

export class RowIndex {
  readonly #keys = new Map<string, ObjectKey>();
  readonly #entries = new Map<ObjectKey, Entry>();

  keyOf(rowId: string): ObjectKey | null {
    return this.#keys.get(rowId) ?? null;
  }

  /** Whose row it was that this process made last, unless it has been withdrawn. */
  ownerOf(key: ObjectKey): Owner | null {
    return this.#entries.get(key)?.owner ?? null;
  }

  set(key: ObjectKey, rowId: string, owner: Owner): void {
    if (this.#entries.get(key)?.rowId !== rowId) this.delete(key);
    this.#entries.set(key, { rowId, owner });
    this.#keys.set(rowId, key);
  }

  /** The row that it was, if it was known. */
  delete(key: ObjectKey): string | null {
    const entry = this.#entries.get(key);
    if (entry === undefined) return null;
    this.#keys.delete(entry.rowId);
    this.#entries.delete(key);
    return entry.rowId;
  }
}
