// The number of the current operator leader, one row. Each leader takes the next number; what an older one still tries to
// write is refused in the transaction that would write it. A pause of any length is harmless: the number is compared, no clock.

import { CoregitError } from "../domain/errors.ts";
import type { Database, Transaction } from "./database.ts";

/** Takes the next number for `holder`, once every write under an older number has ended. */
export async function takeEpoch(database: Database, holder: string): Promise<number> {
  return database.transaction(async (tx) => {
    const { rows } = await tx.query<{ epoch: string }>(
      "UPDATE operator_epoch SET epoch = epoch + 1, holder = $1, at = now() RETURNING epoch",
      [holder],
    );
    return Number(rows[0]?.epoch);
  });
}

/** Holds the number until the transaction ends. @throws CoregitError `StaleLease` when it is no longer `epoch`. */
async function requireEpoch(tx: Transaction, epoch: number): Promise<void> {
  const { rowCount } = await tx.query("SELECT 1 FROM operator_epoch WHERE epoch = $1 FOR SHARE", [epoch], "require-epoch");
  if (rowCount === 0) throw new CoregitError("StaleLease", "Another operator leads; nothing was written.");
}

/** `database` for the leader of `epoch`: transactions and single writes fail with `StaleLease` under a newer leader. */
export function fencedDatabase(database: Database, epoch: number): Database {
  const transaction: Database["transaction"] = (work) =>
    database.transaction(async (tx) => {
      await requireEpoch(tx, epoch);
      return work(tx);
    });
  return {
    transaction,
    query: (text, values, preparedAs) =>
      /^\s*SELECT\b/i.test(text)
        ? database.query(text, values, preparedAs)
        : transaction((tx) => tx.query(text, values, preparedAs)),
    listen: (channel, handlers) => database.listen(channel, handlers),
    isReachable: (timeoutMs) => database.isReachable(timeoutMs),
    // The fence owns nothing.
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
