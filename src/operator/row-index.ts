// Which resource a row belongs to: notifications of the database name rows, queues take keys.
import type { ObjectKey } from "../kube/object.ts";

export class RowIndex {
  readonly #keys = new Map<string, ObjectKey>();
  readonly #ids = new Map<ObjectKey, string>();

  keyOf(rowId: string): ObjectKey | null {
    return this.#keys.get(rowId) ?? null;
  }

  /** True when this was not known: a notification may have come before it was. */
  set(key: ObjectKey, rowId: string): boolean {
    if (this.#ids.get(key) === rowId) return false;
    this.delete(key);
    this.#ids.set(key, rowId);
    this.#keys.set(rowId, key);
    return true;
  }

  delete(key: ObjectKey): void {
    const rowId = this.#ids.get(key);
    if (rowId !== undefined) this.#keys.delete(rowId);
    this.#ids.delete(key);
  }
}
