// An engine in a process of its own, put together as the program does, to be one of many or to be killed. Prints one line
// when it works; ends in order on SIGTERM.
import { openBlobStore } from "../../src/blobs/open-blob-store.ts";
import { connectPostgres } from "../../src/db/postgres.ts";
import { systemClock } from "../../src/domain/clock.ts";
import { openRemotes } from "../../src/remotes/open-remotes.ts";
import { openRepositoryStore } from "../../src/repositories/open-repository-store.ts";
import { storeLimits } from "../../src/repositories/store-options.ts";
import { openEngine } from "../../src/sync/engine.ts";
import { TEST_KEYS } from "./quiet-spec.ts";
import { silentLogger } from "./silent-logger.ts";

export type SyncWorkerSettings = {
  readonly url: string;
  readonly cacheDir: string;
  readonly packsDir: string;
  readonly instanceId: string;
  readonly isOnlyWorker: boolean;
  readonly leaseMs?: number;
};

const { url, cacheDir, packsDir, ...worker } = JSON.parse(process.argv[2] ?? "") as SyncWorkerSettings;
const shared = { clock: systemClock, logger: silentLogger };

await using stack = new AsyncDisposableStack();
const database = stack.use(await connectPostgres({ url, ...shared }));
const blobs = stack.use(await openBlobStore({ kind: "file", directory: packsDir }, database));
const limits = storeLimits(1 << 30);
const store = stack.use(await openRepositoryStore({ ...shared, database, blobs, cacheDir, cacheMaxBytes: 1 << 30, limits }));
const remotes = stack.use(
  openRemotes({ ...shared, allowedHosts: ["127.0.0.0/8"], fileRemotes: [], runLocalUploadPack: null, userAgent: "coregit/test" }),
);
const engine = stack.use(
  openEngine({
    ...shared,
    database,
    store,
    remotes,
    keys: TEST_KEYS,
    jitter: 0,
    random: Math.random,
    workers: 2,
    ...worker,
    graceMs: 5000,
  }),
);
const ended = new Promise((resolve) => process.once("SIGTERM", resolve));
await engine.start();
process.stdout.write("working\n");
await ended;
