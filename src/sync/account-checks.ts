// Asks providers who the credentials of connections are, soon after they were declared and each hour from then on, so that a token
// that was revoked or is about to end shows before a run fails. Any number of processes may do this: each check is one's alone.
import { isDeepStrictEqual } from "node:util";
import {
  type CheckFailure,
  claimChecks,
  repeatCheck,
  type UncheckedConnection,
  writeAccount,
  writeCheckFailure,
} from "../db/connection-checks.ts";
import { openCredential, type SealingKeys } from "../db/credential-seal.ts";
import { CHANNELS, type Database } from "../db/database.ts";
import { notify } from "../db/notify.ts";
import { toCoregitError } from "../domain/errors.ts";
import type { Logger } from "../domain/log.ts";
import type { Account, Accounts } from "../remotes/account.ts";
import { isNotLetIn } from "./connection-failures.ts";
import { pause } from "./pause.ts";

const CHECK_EACH_MS = 3_600_000;
/** After a provider could not be asked. */
const REPEAT_IN_MS = 300_000;
/** How long a check may be due before it is found, where no announcement came. */
const LOOK_EACH_MS = 60_000;
const BATCH = 10;

export type AccountChecksOptions = {
  readonly database: Database;
  readonly keys: SealingKeys;
  readonly accounts: Accounts;
  readonly logger: Logger;
};

/** Checks until it is disposed, which ends the one under way. */
export async function openAccountChecks(options: AccountChecksOptions): Promise<AsyncDisposable> {
  const stop = new AbortController();
  let news = new AbortController();
  const onNews = () => news.abort();
  const listener = await options.database.listen(CHANNELS.connectionChanged, { onMessage: onNews, onGap: onNews });
  const run = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      news = new AbortController();
      if (await checkBatch(options, stop.signal)) continue;
      await pause(LOOK_EACH_MS, AbortSignal.any([news.signal, stop.signal]));
    }
  };
  const ended = run();
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await ended;
      await listener[Symbol.asyncDispose]();
    },
  };
}

/** Checks some of the connections that are due. True: there may be more. */
async function checkBatch(options: AccountChecksOptions, signal: AbortSignal): Promise<boolean> {
  try {
    const due = await claimChecks(options.database, CHECK_EACH_MS, BATCH);
    for (const connection of due) await check(options, connection, signal);
    return due.length === BATCH;
  } catch (err) {
    if (!signal.aborted) options.logger.warn({ err }, "Connections could not be checked; this is tried again.");
    return false;
  }
}

async function check(options: AccountChecksOptions, connection: UncheckedConnection, signal: AbortSignal): Promise<void> {
  const { database } = options;
  const { id, sealedCredential: sealed } = connection;
  const said = await ask(options, connection, signal);
  if (said === null) return repeatCheck(database, id, REPEAT_IN_MS, CHECK_EACH_MS);
  const isNews = "code" in said ? !isDeepStrictEqual(said, connection.failure) : isNewAccount(said, connection);
  await database.transaction(async (tx) => {
    if ("code" in said) await writeCheckFailure(tx, id, sealed, said);
    else await writeAccount(tx, id, sealed, said);
    if (isNews) await notify(tx, "connectionChanged", [id]);
  });
}

function isNewAccount(account: Account, { account: known, failure }: UncheckedConnection): boolean {
  return failure !== null || !isDeepStrictEqual({ ...account }, { ...known });
}

/** null: the provider could not be asked, which says nothing about the credential. */
async function ask(
  { keys, accounts }: AccountChecksOptions,
  { id, sealedCredential, ...connection }: UncheckedConnection,
  signal: AbortSignal,
): Promise<Account | CheckFailure | null> {
  try {
    const credential = openCredential(keys, id, sealedCredential);
    return await accounts.inspectCredential({ ...connection, credential }, signal);
  } catch (thrown) {
    const { code, message } = toCoregitError(thrown);
    return isNotLetIn(code) ? { code, message } : null;
  }
}
