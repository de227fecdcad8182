// As whom the server runs. PostgreSQL refuses to run as root, so root starts it as another existing account, which owns
// the database's folder alone. When that account may not enter a folder on the way to the data or to the programs (a
// checkout below /root, a 0700 temp folder), the server also gets one capability to read and search folders, by setpriv.

import { execFile } from "node:child_process";
import { lstat, readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { CoregitError } from "../../domain/errors.ts";

export type Account = { readonly uid: number; readonly gid: number };

/** How to start a program as the server's account. */
export type ServerAccount = {
  /** null: the account of this process. */
  readonly account: Account | null;
  /** Put in front of the program and its arguments; empty when `account` can be given to spawn. */
  readonly prefix: readonly string[];
};

/** Accounts to try, in order: PostgreSQL's own where it is installed, and the one that every system has. */
const ACCOUNT_NAMES = ["postgres", "nobody"];

/** Linux capability numbers. Reading and searching suffices; containers often grant only the wider one. */
const CAPABILITIES = [
  { name: "dac_read_search", bit: 2n },
  { name: "dac_override", bit: 1n },
];

/**
 * Chooses the account for a server whose data is (or will be) in `clusterDir`, with programs in `programs`.
 * @throws CoregitError `DatabaseUnavailable` when this process is root and nothing can be arranged.
 */
export async function chooseServerAccount(clusterDir: string, programs: readonly string[]): Promise<ServerAccount> {
  if (process.getuid?.() !== 0) return { account: null, prefix: [] };
  const account = (await ownerOf(clusterDir)) ?? (await firstAccount());
  const paths = [dirname(clusterDir), ...programs];
  const reachable = await Promise.all(paths.map((path) => canReach(account, path)));
  if (reachable.every(Boolean)) return { account, prefix: [] };
  return { account, prefix: await privilegedPrefix(account) };
}

/** An existing database stays with its account. */
async function ownerOf(clusterDir: string): Promise<Account | null> {
  const found = await lstat(clusterDir).catch(() => null);
  return found === null || found.uid === 0 ? null : { uid: found.uid, gid: found.gid };
}

async function firstAccount(): Promise<Account> {
  const lines = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => line.split(":"));
  for (const name of ACCOUNT_NAMES) {
    const [, , uid, gid] = lines.find((fields) => fields[0] === name) ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw refusal(`there is neither an account "${ACCOUNT_NAMES.join('" nor "')}" to run it as`);
}

/** Whether the account may search every folder above `path`, and `path` itself when it is one, by owner, group and mode. */
async function canReach(account: Account, path: string): Promise<boolean> {
  for (let folder = path; ; folder = dirname(folder)) {
    const { mode, uid, gid } = await stat(folder);
    const shift = uid === account.uid ? 6 : gid === account.gid ? 3 : 0;
    if (((mode >> shift) & 0o1) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

async function privilegedPrefix({ uid, gid }: Account): Promise<readonly string[]> {
  const status = await readFile("/proc/self/status", "utf8").catch(() => "");
  const permitted = BigInt(`0x${/^CapPrm:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  const capability = CAPABILITIES.find(({ bit }) => ((permitted >> bit) & 1n) === 1n);
  const reason = "its account may not enter the folders of the data or of the programs";
  if (capability === undefined) throw refusal(reason);
  const prefix = [
    "setpriv",
    `--reuid=${uid}`,
    `--regid=${gid}`,
    "--clear-groups",
    `--inh-caps=+${capability.name}`,
    `--ambient-caps=+${capability.name}`,
    // Otherwise access(2), by which the server checks its own programs, leaves the capability out.
    "--securebits=+no_setuid_fixup",
    "--",
  ];
  try {
    await promisify(execFile)(prefix[0] ?? "", [...prefix.slice(1), "true"], { timeout: 5_000 });
  } catch (cause) {
    throw refusal(reason, cause);
  }
  return prefix;
}

function refusal(reason: string, cause?: unknown): CoregitError {
  const sentence = `The embedded database does not run as root, and ${reason}; start as another user, move the folders, or set COREGIT_DATABASE_URL.`;
  return new CoregitError("DatabaseUnavailable", sentence, { cause });
}
