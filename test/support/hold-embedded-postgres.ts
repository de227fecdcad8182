// A program of the tests: starts the embedded database on the data directory that it is given, prints the URL and stays.

import { startEmbeddedPostgres } from "../../src/standalone/embedded-postgres.ts";
import { silentLogger } from "./silent-logger.ts";

const [dataDir = ""] = process.argv.slice(2);
const stop = new AbortController();
process.once("SIGTERM", () => stop.abort());
try {
  await using server = await startEmbeddedPostgres({ dataDir, logger: silentLogger, signal: AbortSignal.timeout(60_000) });
  process.stdout.write(`${server.url}\n`);
  await new Promise<void>((resolve) => {
    const alive = setInterval(() => undefined, 60_000);
    stop.signal.addEventListener("abort", () => {
      clearInterval(alive);
      resolve();
    });
  });
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
