// Blobs in PostgreSQL, for installations without any other shared storage. A blob is a row of `blobs` and its bytes in
// parts in `blob_parts`. A put writes its parts under a name of its own, which no key can have, and then, in one
// transaction, makes the row and gives them the key: readers see all or nothing, and of two puts the first one counts.

import { randomUUID } from "node:crypto";
import type { Database, Transaction } from "../../db/database.ts";
import { type Clock, systemClock } from "../../domain/clock.ts";
import { CoregitError } from "../../domain/errors.ts";
import { checkKey, checkPrefix } from "../blob-key.ts";
import type { BlobKey, BlobStore } from "../blob-store.ts";
import { type ByteRange, resolveRange } from "../byte-range.ts";
import { bytesOfFile, exactBytes, inParts } from "../byte-source.ts";
import { storageFailure } from "../storage-failure.ts";

/** Bytes in a part: what a put or a get holds in memory, a few times over. */
const PART_BYTES = 1024 * 1024;

/** Parts of a put that began so long ago are those of a process that died. */
const ABANDONED_AFTER_MS = 24 * 60 * 60 * 1000;

/** Sorts behind every character of a key, so that the parts of unfinished puts lie together, oldest first. */
const UNFINISHED_MARK = "~";

const LIST_PAGE = 1_000;

type Listed = { readonly key: string; readonly size: number; readonly created_at: Date };

export class PostgresBlobStore implements BlobStore {
  readonly description = "postgres:";
  readonly #db: Database;
  readonly #clock: Clock;

  /** The database stays the caller's. */
  constructor(db: Database, clock: Clock = systemClock) {
    this.#db = db;
    this.#clock = clock;
  }

  async put(key: BlobKey, source: AsyncIterable<Uint8Array>, size: number, signal?: AbortSignal): Promise<void> {
    if ((await this.size(key)) !== null) return;
    const unfinished = unfinishedName(this.#clock.now());
    try {
      await this.#removeAbandoned();
      await this.#writeParts(unfinished, exactBytes(source, size, signal));
      await this.#db.transaction((tx) => publish(tx, { unfinished, key, size }));
    } catch (error) {
      // When this fails too, a later put or listing removes them.
      await this.#db.query("DELETE FROM blob_parts WHERE key = $1", [unfinished]).catch(() => undefined);
      throw storageFailure(this.description, error);
    }
  }

  async putFile(key: BlobKey, path: string, size: number, signal?: AbortSignal): Promise<void> {
    await this.put(key, bytesOfFile(path), size, signal);
  }

  async *get(key: BlobKey, range?: ByteRange, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const size = await this.size(key);
    if (size === null) throw missing(key);
    const { start, end } = resolveRange(range, size);
    for (let at = start; at < end; ) {
      signal?.throwIfAborted();
      const bytes = await this.#readPart(key, at, end);
      yield bytes;
      at += bytes.length;
    }
  }

  async size(key: BlobKey): Promise<number | null> {
    checkKey(key);
    const { rows } = await this.#db.query<{ size: number }>("SELECT size FROM blobs WHERE key = $1", [key]);
    return rows[0]?.size ?? null;
  }

  async delete(key: BlobKey): Promise<void> {
    checkKey(key);
    await this.#db.transaction(async (tx) => {
      await tx.query("DELETE FROM blobs WHERE key = $1", [key]);
      await tx.query("DELETE FROM blob_parts WHERE key = $1", [key]);
    });
  }

  async *list(prefix: string, start: BlobKey = "") {
    checkPrefix(prefix);
    await this.#removeAbandoned();
    const sql = `SELECT key, size, created_at FROM blobs WHERE key >= $1 AND key > $2 AND key < $3 ORDER BY key LIMIT ${LIST_PAGE}`;
    for (let after = start; ; ) {
      const { rows } = await this.#db.query<Listed>(sql, [prefix, after, `${prefix}${UNFINISHED_MARK}`]);
      for (const row of rows) yield { key: row.key, size: row.size, writtenAtMs: row.created_at.getTime() };
      const last = rows.at(-1);
      if (last === undefined || rows.length < LIST_PAGE) return;
      after = last.key;
    }
  }

  async check(): Promise<void> {
    try {
      await this.#db.query("SELECT 1 FROM blobs LIMIT 1");
    } catch (cause) {
      const sentence =
        "The blob store `postgres:` of COREGIT_BLOB_STORE cannot be used: the database does not answer or is not migrated.";
      throw new CoregitError("StorageUnavailable", sentence, { cause });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is held: the database is the caller's.
  }

  async #writeParts(name: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    let part = 0;
    for await (const piece of inParts(bytes, PART_BYTES)) {
      await this.#db.query("INSERT INTO blob_parts (key, part, bytes) VALUES ($1, $2, $3)", [name, part, piece]);
      part += 1;
    }
  }

  /** From `at` to the end of its part, or to `end` when that is nearer. */
  async #readPart(key: BlobKey, at: number, end: number): Promise<Uint8Array> {
    const part = Math.floor(at / PART_BYTES);
    const offset = at - part * PART_BYTES;
    const length = Math.min(PART_BYTES - offset, end - at);
    const sql = "SELECT substring(bytes FROM $3 FOR $4) AS bytes FROM blob_parts WHERE key = $1 AND part = $2";
    const { rows } = await this.#db.query<{ bytes: Uint8Array }>(sql, [key, part, offset + 1, length]);
    const bytes = rows[0]?.bytes;
    if (bytes?.length === length) return bytes;
    // Deleted since the size was read, or damaged.
    throw (await this.size(key)) === null ? missing(key) : new CoregitError("StorageCorrupt", `Blob ${key} lacks bytes.`);
  }

  async #removeAbandoned(): Promise<void> {
    const oldest = unfinishedTime(this.#clock.now() - ABANDONED_AFTER_MS);
    await this.#db.query("DELETE FROM blob_parts WHERE key >= $1 AND key < $2", [UNFINISHED_MARK, oldest]);
  }
}

type Publication = { readonly unfinished: string; readonly key: BlobKey; readonly size: number };

async function publish(tx: Transaction, { unfinished, key, size }: Publication): Promise<void> {
  const { rowCount } = await tx.query("INSERT INTO blobs (key, size) VALUES ($1, $2) ON CONFLICT DO NOTHING", [key, size]);
  if (rowCount === 1) await tx.query("UPDATE blob_parts SET key = $2 WHERE key = $1", [unfinished, key]);
  else await tx.query("DELETE FROM blob_parts WHERE key = $1", [unfinished]);
}

function unfinishedName(nowMs: number): string {
  return `${unfinishedTime(nowMs)}${UNFINISHED_MARK}${randomUUID()}`;
}

/** As many digits for every time until the year 33658, so that names sort by time. */
function unfinishedTime(ms: number): string {
  return `${UNFINISHED_MARK}${String(ms).padStart(15, "0")}`;
}

function missing(key: BlobKey): CoregitError {
  return new CoregitError("ObjectMissing", `There is no blob ${key}.`);
}
