// A program of the tests: migrates the database that it is given and prints how many migrations it applied.

import { migrate } from "../../src/db/migrate.ts";
import { silentLogger } from "./silent-logger.ts";

const [url = "", directory = ""] = process.argv.slice(2);
process.stdout.write(`${(await migrate({ url, logger: silentLogger, directory })).length}\n`);
