// A program for tests: compacts a repository over a blob store that stores everything and hangs before it says so.
// Arguments: database URL, cache folder, repository id. Prints a line once it hangs.
import type { BlobStore } from "../../src/blobs/blob-store.ts";
import { openBlobStore } from "../../src/blobs/open-blob-store.ts";
import { connectPostgres } from "../../src/db/postgres.ts";
import { openTestStore } from "./git-store.ts";
import { silentLogger } from "./silent-logger.ts";

const [url = "", cacheDir = "", id = ""] = process.argv.slice(2);
const database = await connectPostgres({ url, logger: silentLogger });
const blobs = await openBlobStore({ kind: "postgres" }, database);
const hanging: BlobStore = Object.assign(Object.create(blobs), {
  async put(...args: Parameters<BlobStore["put"]>) {
    await blobs.put(...args);
    if (!args[0].endsWith(".idx")) return;
    process.stdout.write("stored\n");
    await new Promise<void>(() => undefined);
  },
});
const { store } = await openTestStore(database, { cacheDir, blobs: hanging, limits: { inlinePackBytes: 1_000 } });
await store.compact(id, AbortSignal.timeout(60_000));
