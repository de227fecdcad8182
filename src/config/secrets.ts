// The secrets that standalone makes for itself: two files in its data folder that only their owner may read. Made once,
// used by every later start; two starts at once agree on one of them.
import { randomBytes } from "node:crypto";
import { chmod, link, mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "./config.ts";
import { ConfigError } from "./config-error.ts";
import { ValueProblem } from "./value-problem.ts";
import { readEncryptionKeys, readMasterKey } from "./values.ts";

export const MASTER_KEY_FILE = "master-key";
export const ENCRYPTION_KEY_FILE = "encryption-key";

const OWNER_ONLY = 0o600;

/**
 * `config` with both keys: those that are set, else those of the data folder, else new ones. Afterwards the folder's
 * `master-key` holds the master key in use, for client commands on this machine.
 * @throws ConfigError when a file does not hold a key.
 */
export async function loadStandaloneSecrets(config: Config): Promise<Config & { readonly masterKey: string }> {
  await mkdir(config.dataDir, { recursive: true });
  const masterKeyFile = join(config.dataDir, MASTER_KEY_FILE);
  const encryptionKeys =
    config.encryptionKeys.length > 0
      ? config.encryptionKeys
      : await readOrMake(join(config.dataDir, ENCRYPTION_KEY_FILE), newEncryptionKey, readEncryptionKeys);
  if (config.masterKey !== null) {
    await replaceSecret(masterKeyFile, config.masterKey);
    return { ...config, encryptionKeys, masterKey: config.masterKey };
  }
  return { ...config, encryptionKeys, masterKey: await readOrMake(masterKeyFile, newMasterKey, readMasterKey) };
}

export function newEncryptionKey(): string {
  return randomBytes(32).toString("base64");
}

/** Letters, digits, `-` and `_`. */
export function newPassword(): string {
  return randomBytes(32).toString("base64url");
}

export function newMasterKey(): string {
  return `cgk_live_${randomBytes(32).toString("base64url")}`;
}

async function readOrMake<T>(file: string, make: () => string, read: (text: string) => T): Promise<T> {
  if ((await readSecret(file)) === null) await createSecret(file, make());
  const text = await readSecret(file);
  try {
    return read(text ?? "");
  } catch (error) {
    if (error instanceof ValueProblem)
      throw new ConfigError(file, `does not hold the key that Coregit wrote there: it ${error.message}`);
    throw error;
  }
}

/** Without its line break; null when there is no such file. Rights that are too wide are taken back. */
async function readSecret(file: string): Promise<string | null> {
  try {
    const { mode } = await stat(file);
    if ((mode & 0o077) !== 0) await chmod(file, OWNER_ONLY);
    return (await readFile(file, "utf8")).trim();
  } catch (error) {
    if (isErrno(error, "ENOENT")) return null;
    throw error;
  }
}

/** Whole or not at all; leaves a file that is there as it is. */
async function createSecret(file: string, text: string): Promise<void> {
  const draft = await writeDraft(file, text);
  try {
    await link(draft, file);
  } catch (error) {
    if (!isErrno(error, "EEXIST")) throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function replaceSecret(file: string, text: string): Promise<void> {
  if ((await readSecret(file)) !== text) await rename(await writeDraft(file, text), file);
}

async function writeDraft(file: string, text: string): Promise<string> {
  const draft = `${file}.${randomBytes(6).toString("hex")}`;
  await using handle = await open(draft, "wx", OWNER_ONLY);
  await handle.writeFile(`${text}\n`);
  await handle.sync();
  return draft;
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
