// The port to immutable bytes by key. Stores: `postgres`, `file`, `s3`.

/** Keys are `/`-separated components of [A-Za-z0-9._-], never `.` or `..`, at most 512 characters. No key is a folder of another. */
export type BlobKey = string;

export interface BlobStore extends AsyncDisposable {
  /** For messages and metrics: the setting without credentials, for example `file:///var/lib/coregit/packs`. */
  readonly description: string;
  /**
   * Stores exactly `size` bytes from `source` under `key`, durable when it resolves. A key is written once:
   * putting the same key again leaves the first bytes and resolves. A failed or aborted put leaves nothing readable.
   * @throws CoregitError `StorageCorrupt` when the source ends early or late.
   */
  put(key: BlobKey, source: AsyncIterable<Uint8Array>, size: number, signal?: AbortSignal): Promise<void>;
  /** The same with the bytes of the file at `path`, which nobody writes to meanwhile. A store on a disk has the kernel copy it. */
  putFile(key: BlobKey, path: string, size: number, signal?: AbortSignal): Promise<void>;
  /** Streams the bytes, from `start` (default 0) to before `end` (default: all). @throws CoregitError `ObjectMissing`. */
  get(key: BlobKey, range?: { readonly start: number; readonly end?: number }, signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /** Size in bytes, or null when there is no such key. */
  size(key: BlobKey): Promise<number | null>;
  /** Removes a key; removing a missing key resolves. */
  delete(key: BlobKey): Promise<void>;
  /** Keys that start with `prefix`, those after `after` if given, in code-unit order, with size and time of writing (epoch milliseconds). */
  list(
    prefix: string,
    after?: BlobKey,
  ): AsyncIterable<{ readonly key: BlobKey; readonly size: number; readonly writtenAtMs: number }>;
  /** Resolves when the store can be used. @throws CoregitError naming the setting when it cannot. */
  check(): Promise<void>;
}
