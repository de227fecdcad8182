// Makes the folder of a file store and removes what puts that a crash cut off have left in it.

import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, systemClock } from "../../domain/clock.ts";
import { storageFailure } from "../storage-failure.ts";
import { FileBlobStore, INCOMING_FOLDER } from "./file-blob-store.ts";

/** A file that nobody has written to for so long belongs to a process that died; another process may use the folder too. */
const ABANDONED_AFTER_MS = 24 * 60 * 60 * 1000;

/** @throws CoregitError `StorageUnavailable` when the folder cannot be made or read. */
export async function openFileBlobStore(root: string, clock: Clock = systemClock): Promise<FileBlobStore> {
  const store = new FileBlobStore(root);
  const incoming = join(root, INCOMING_FOLDER);
  try {
    await mkdir(incoming, { recursive: true, mode: 0o700 });
    for (const name of await readdir(incoming)) {
      const path = join(incoming, name);
      const found = await stat(path).catch(() => null);
      if (found !== null && clock.now() - found.mtimeMs > ABANDONED_AFTER_MS) await rm(path, { force: true });
    }
  } catch (error) {
    throw storageFailure(store.description, error);
  }
  return store;
}
