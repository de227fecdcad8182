// A program for tests: imports the pack in a file up to its sealing, over a blob store that stores the first key and then hangs.
// Arguments: database URL, cache folder, repository id, pack file, tip. Prints a line once it hangs.
import { createReadStream } from "node:fs";
import type { BlobStore } from "../../src/blobs/blob-store.ts";
import { openBlobStore } from "../../src/blobs/open-blob-store.ts";
import { connectPostgres } from "../../src/db/postgres.ts";
import { parseOid } from "../../src/domain/oid.ts";
import { openTestStore } from "./git-store.ts";
import { silentLogger } from "./silent-logger.ts";

const [url = "", cacheDir = "", id = "", packFile = "", tip = ""] = process.argv.slice(2);
const database = await connectPostgres({ url, logger: silentLogger });
const blobs = await openBlobStore({ kind: "postgres" }, database);
const hanging: BlobStore = Object.assign(Object.create(blobs), {
  async put(...args: Parameters<BlobStore["put"]>) {
    if (args[0].endsWith(".idx")) return new Promise<void>(() => undefined);
    await blobs.put(...args);
    process.stdout.write("sealed half\n");
  },
});
const { store } = await openTestStore(database, { cacheDir, blobs: hanging });
const repository = await store.get(id);
if (repository === null) throw new Error("no such repository");
const quarantine = await store.quarantine(repository);
const signal = AbortSignal.timeout(60_000);
await quarantine.receivePack(createReadStream(packFile), { shallowTips: [parseOid(tip)] }, signal);
await quarantine.seal({ source: "import", dropCommits: true }, signal);
