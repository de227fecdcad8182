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
    case "s3": {
      // Loaded only where it is used: the SDK takes 40 MB of memory and a quarter of a second.
      const { openS3BlobStore } = await import("./s3/open-s3-blob-store.ts");
      return await openS3BlobStore(setting);
    }
  }
}
