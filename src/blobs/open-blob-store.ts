// The blob store that the settings name.

import type { BlobStoreSetting } from "../config/config.ts";
import type { Database } from "../db/database.ts";
import type { BlobStore } from "./blob-store.ts";
import { openFileBlobStore } from "./file/open-file-blob-store.ts";
import { PostgresBlobStore } from "./postgres/postgres-blob-store.ts";

/** The caller disposes the store before the database. @throws CoregitError `StorageUnavailable` when it cannot be opened. */
export async function openBlobStore(setting: BlobStoreSetting, database: Database): Promise<BlobStore> {
  switch (setting.kind) {
    case "postgres":
      return new PostgresBlobStore(database);
    case "file":
      return await openFileBlobStore(setting.directory);
  }
}
