// A registrar of webhooks in a process of its own, put together as the program does, to be killed. Prints one line when it works;
// ends in order on SIGTERM.
import { connectPostgres } from "../../src/db/postgres.ts";
import { systemClock } from "../../src/domain/clock.ts";
import { openRemotes } from "../../src/remotes/open-remotes.ts";
import { openWebhookRegistrar } from "../../src/sync/webhook-registrar.ts";
import { TEST_KEYS } from "./quiet-spec.ts";
import { silentLogger } from "./silent-logger.ts";

export type WebhookWorkerSettings = { readonly url: string; readonly publicUrl: string; readonly leaseMs: number };

const { url, publicUrl, leaseMs } = JSON.parse(process.argv[2] ?? "") as WebhookWorkerSettings;
const shared = { clock: systemClock, logger: silentLogger };

await using stack = new AsyncDisposableStack();
const database = stack.use(await connectPostgres({ url, ...shared }));
const local = { fileRemotes: [], runLocalUploadPack: null };
const webhooks = stack.use(openRemotes({ ...shared, ...local, allowedHosts: ["127.0.0.0/8"], userAgent: "coregit/test" }));
const options = { ...shared, database, webhooks, publicUrl, leaseMs, keys: TEST_KEYS, random: Math.random };
const ended = new Promise((resolve) => process.once("SIGTERM", resolve));
stack.use(await openWebhookRegistrar(options));
process.stdout.write("working\n");
await ended;
