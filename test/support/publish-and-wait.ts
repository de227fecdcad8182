// A program for tests: moves `main` of a repository, and waits for SIGUSR2 inside the transaction, which it says first. Arguments:
// database URL, cache folder, repository id, where `main` is, how long its transactions may be idle. Ends with 0 when it has
// published, and with 3 when the database had ended the transaction.
import { once } from "node:events";
import { connectPostgres } from "../../src/db/postgres.ts";
import { CoregitError } from "../../src/domain/errors.ts";
import { parseOid } from "../../src/domain/oid.ts";
import { openTestStore, smallCommit } from "./git-store.ts";
import { silentLogger } from "./silent-logger.ts";

const [url = "", cacheDir = "", repositoryId = "", head = "", idleMs = ""] = process.argv.slice(2);
const expected = parseOid(head);
await using database = await connectPostgres({ url, logger: silentLogger, idleInTransactionMs: Number(idleMs) });
await using world = await openTestStore(database, { cacheDir });
const { objects, oid } = smallCommit("of who sleeps", [expected]);
const packs = [world.store.buildPack(objects, "commit")];
const refs = [{ name: "refs/heads/main", expected, next: oid }];
const resumed = once(process, "SIGUSR2");
try {
  await world.store.publish({ repositoryId, packs, refs, actor: "master", reason: "test" }, async () => {
    process.stdout.write("publishing\n");
    await resumed;
  });
} catch (error) {
  process.exitCode = error instanceof CoregitError && error.code === "DatabaseUnavailable" ? 3 : 1;
}
