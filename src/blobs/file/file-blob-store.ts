// Blobs as files below one folder, a key being the path. A put writes a file beside them, under a name that no key can
// have, brings it to disk and then links it to its path: readers see all or nothing, and of two puts the first counts.

import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { access, copyFile, type FileHandle, link, mkdir, open, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { CoregitError } from "../../domain/errors.ts";
import { checkKey, checkPrefix } from "../blob-key.ts";
import type { BlobKey, BlobStore } from "../blob-store.ts";
import { type ByteRange, resolveRange } from "../byte-range.ts";
import { checkWanted, exactBytes, sourceFailed } from "../byte-source.ts";
import { storageFailure } from "../storage-failure.ts";
import { listFiles } from "./list-files.ts";

/** Holds unfinished puts; no key has this character. */
export const INCOMING_FOLDER = "~incoming";

/** What a get holds in memory. */
const READ_BYTES = 256 * 1024;

export class FileBlobStore implements BlobStore {
  readonly description: string;
  readonly #root: string;

  /** `root` is an absolute path of a folder that is there; `openFileBlobStore` makes it and removes what crashes left. */
  constructor(root: string) {
    this.#root = root;
    this.description = pathToFileURL(root).href;
  }

  async put(key: BlobKey, source: AsyncIterable<Uint8Array>, size: number, signal?: AbortSignal): Promise<void> {
    await this.#write(key, (unfinished) => writeDurably(unfinished, exactBytes(source, size, signal)));
  }

  async putFile(key: BlobKey, path: string, size: number, signal?: AbortSignal): Promise<void> {
    await this.#write(key, (unfinished) => copyDurably(path, unfinished, size, signal));
  }

  async *get(key: BlobKey, range?: ByteRange, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    await using file = await this.#open(key);
    const { start, end } = resolveRange(range, (await file.stat()).size);
    for (let at = start; at < end; ) {
      signal?.throwIfAborted();
      const length = Math.min(READ_BYTES, end - at);
      const { bytesRead, buffer } = await file.read(new Uint8Array(length), 0, length, at).catch(unreadable(key));
      if (bytesRead === 0) throw new CoregitError("StorageCorrupt", `Blob ${key} lacks bytes.`);
      yield buffer.subarray(0, bytesRead);
      at += bytesRead;
    }
  }

  async size(key: BlobKey): Promise<number | null> {
    try {
      const found = await stat(this.#pathOf(key));
      return found.isFile() ? found.size : null;
    } catch (error) {
      if (isAbsence(error)) return null;
      throw storageFailure(this.description, error);
    }
  }

  async delete(key: BlobKey): Promise<void> {
    try {
      await rm(this.#pathOf(key), { force: true });
    } catch (error) {
      if (!isAbsence(error)) throw storageFailure(this.description, error);
    }
  }

  async *list(prefix: string, after: BlobKey = "") {
    checkPrefix(prefix);
    try {
      yield* listFiles(this.#root, { prefix, after });
    } catch (error) {
      throw storageFailure(this.description, error);
    }
  }

  async check(): Promise<void> {
    try {
      await access(join(this.#root, INCOMING_FOLDER), constants.W_OK | constants.X_OK);
      await access(this.#root, constants.W_OK | constants.X_OK);
    } catch (cause) {
      const sentence = `The folder of ${this.description}, named by COREGIT_BLOB_STORE, is missing or may not be written.`;
      throw new CoregitError("StorageUnavailable", sentence, { cause });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is held between calls.
  }

  /** `write` makes the file that it is told, durable when it resolves. */
  async #write(key: BlobKey, write: (unfinished: string) => Promise<void>): Promise<void> {
    const path = this.#pathOf(key);
    const unfinished = join(this.#root, INCOMING_FOLDER, randomUUID());
    try {
      if ((await this.size(key)) === null) {
        await write(unfinished);
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        await linkOnce(unfinished, path);
      }
      // Also for a key that was there: its own put may not have come this far.
      await this.#syncFolders(dirname(path));
    } catch (error) {
      throw storageFailure(this.description, error);
    } finally {
      await rm(unfinished, { force: true });
    }
  }

  #pathOf(key: BlobKey): string {
    checkKey(key);
    return join(this.#root, key);
  }

  async #open(key: BlobKey): Promise<FileHandle> {
    try {
      return await open(this.#pathOf(key), "r");
    } catch (error) {
      if (isAbsence(error)) throw new CoregitError("ObjectMissing", `There is no blob ${key}.`, { cause: error });
      throw storageFailure(this.description, error);
    }
  }

  /** Brings the names in `folder`, and the folder's own name up to the root, to disk. */
  async #syncFolders(folder: string): Promise<void> {
    for (let current = folder; current.startsWith(this.#root); current = dirname(current)) {
      await using handle = await open(current, "r");
      await handle.sync();
    }
  }
}

async function writeDurably(path: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  await using file = await open(path, "wx", 0o600);
  for await (const piece of bytes) await file.writeFile(piece);
  await file.sync();
}

/** Neither copying nor bringing to disk can be given up midway; both take as long as the disk does. */
async function copyDurably(from: string, to: string, size: number, signal?: AbortSignal): Promise<void> {
  checkWanted(signal);
  await access(from, constants.R_OK).catch(sourceFailed);
  await copyFile(from, to, constants.COPYFILE_EXCL);
  await using file = await open(to, "r");
  await file.chmod(0o600);
  const copied = (await file.stat()).size;
  if (copied !== size) throw new CoregitError("StorageCorrupt", `The file has ${copied} bytes, not the announced ${size}.`);
  await file.sync();
  checkWanted(signal);
}

async function linkOnce(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
  }
}

/** ENOTDIR: a part of the path is a blob. */
function isAbsence(error: unknown): boolean {
  return hasCode(error, "ENOENT") || hasCode(error, "ENOTDIR");
}

/** What the disk does not give back is as lost as what it gives back wrong. */
function unreadable(key: BlobKey) {
  return (cause: unknown): never => {
    throw new CoregitError("StorageCorrupt", `The disk does not give back blob ${key}.`, { cause });
  };
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
