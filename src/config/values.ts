// How the text of one setting is read. Each reader gives the value or throws what is wrong with it, as the end of a sentence
// that begins with the variable's name; texts that may be secrets are never repeated.
import { isIP } from "node:net";
import { isAbsolute, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { formatDuration, parseDuration } from "../domain/duration.ts";
import type { BlobStoreSetting, ListenAddress } from "./config.ts";
import { readS3Setting } from "./s3-setting.ts";
import { ValueProblem } from "./value-problem.ts";

const BYTE_UNITS: Readonly<Record<string, number>> = {
  "": 1,
  k: 1e3,
  kb: 1e3,
  m: 1e6,
  mb: 1e6,
  g: 1e9,
  gb: 1e9,
  t: 1e12,
  tb: 1e12,
  ki: 2 ** 10,
  kib: 2 ** 10,
  mi: 2 ** 20,
  mib: 2 ** 20,
  gi: 2 ** 30,
  gib: 2 ** 30,
  ti: 2 ** 40,
  tib: 2 ** 40,
};

const HOST_NAME = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/i;
const MASTER_KEY = /^cgk_live_[A-Za-z0-9_-]{16,200}$/;
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;
const ENCRYPTION_KEY_BYTES = 32;

/** Bytes: `1048576`, `512MiB`, `10GiB`, `2GB`. At least 1 MiB. */
export function readBytes(text: string): number {
  const [, amount, unit] = /^([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)$/.exec(text) ?? [];
  const factor = BYTE_UNITS[(unit ?? "?").toLowerCase()];
  if (factor === undefined) throw new ValueProblem(`must be a number of bytes such as 10GiB, not ${quote(text)}`);
  const bytes = Math.floor(Number(amount) * factor);
  if (bytes < 2 ** 20 || !Number.isSafeInteger(bytes)) throw new ValueProblem("must be at least 1MiB and less than 8PiB");
  return bytes;
}

export function readWhole(text: string, min: number, max: number): number {
  const value = /^[0-9]+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) {
    throw new ValueProblem(`must be a whole number from ${min} to ${max}, not ${quote(text)}`);
  }
  return value;
}

/** Milliseconds of `168h`, `36h30m`. */
export function readDuration(text: string, minMs: number): number {
  const ms = parseDuration(text);
  if (ms === null || ms < minMs)
    throw new ValueProblem(`must be a duration of at least ${formatDuration(minMs)}, not ${quote(text)}`);
  return ms;
}

/** At least 0, below 1. */
export function readFraction(text: string): number {
  const value = /^[0-9]*\.?[0-9]+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= 0 && value < 1)) throw new ValueProblem(`must be a fraction from 0 to less than 1, not ${quote(text)}`);
  return value;
}

export function readSwitch(text: string): boolean {
  return readChoice(text, ["true", "false"]) === "true";
}

export function readChoice<T extends string>(text: string, choices: readonly T[]): T {
  const chosen = choices.find((choice) => choice === text);
  if (chosen === undefined) throw new ValueProblem(`must be one of ${choices.join(", ")}, not ${quote(text)}`);
  return chosen;
}

/** `HOST:PORT`, `[::1]:8080`. Port 0 takes any free one. */
export function readListen(text: string): ListenAddress {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):([0-9]{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const isHost = bracketed === undefined ? HOST_NAME.test(host ?? "") : isIP(bracketed) === 6;
  if (host === undefined || !isHost || Number(port) > 65_535) {
    throw new ValueProblem(`must be HOST:PORT such as 127.0.0.1:8080, not ${quote(text)}`);
  }
  return { host, port: Number(port) };
}

/** Kept as given. The text is not repeated in messages: it may hold a password. */
export function readDatabaseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !["postgres:", "postgresql:"].includes(url.protocol)) {
    throw new ValueProblem("must be a URL such as postgres://user:password@host:5432/database");
  }
  return text;
}

/** Without a trailing slash. */
export function readPublicUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !["http:", "https:"].includes(url.protocol)) {
    throw new ValueProblem("must be a URL such as https://git.example.com");
  }
  if (url.username !== "" || url.password !== "") throw new ValueProblem("must not contain a user name or password");
  if (url.search !== "" || url.hash !== "") throw new ValueProblem("must not have a query or a fragment");
  return url.href.replace(/\/+$/, "");
}

export function readBlobStore(text: string): BlobStoreSetting {
  if (text === "postgres:") return { kind: "postgres" };
  if (text.startsWith("s3:")) return readS3Setting(text);
  if (!text.startsWith("file:")) throw new ValueProblem("must be postgres:, file:///dir or s3://bucket/prefix");
  if (!/^file:\/\/\/[^/]/.test(text) || !URL.canParse(text)) {
    throw new ValueProblem("must name an absolute folder, as file:///var/lib/coregit/packs");
  }
  return { kind: "file", directory: fileURLToPath(text) };
}

export function readFolder(text: string, workingDirectory: string): string {
  if (text.includes("\0")) throw new ValueProblem("must be the path of a folder");
  return isAbsolute(text) ? resolve(text) : resolve(workingDirectory, text);
}

export function readFolders(text: string, workingDirectory: string): string[] {
  return list(text).map((entry) => readFolder(entry, workingDirectory));
}

export function readHosts(text: string): string[] {
  return list(text).map((entry) => {
    const [address = "", prefix, ...rest] = entry.split("/");
    const bits = { 0: 0, 4: 32, 6: 128 }[isIP(address)] ?? 0;
    const isCidr = bits > 0 && /^[0-9]{1,3}$/.test(prefix ?? "") && Number(prefix) <= bits && rest.length === 0;
    const isHost = prefix === undefined && (bits > 0 || isName(address));
    if (!isCidr && !isHost) {
      throw new ValueProblem(`must list host names, addresses or CIDRs with commas between them, and ${quote(entry)} is none`);
    }
    return entry.toLowerCase();
  });
}

/** One or several keys, the first of which seals. */
export function readEncryptionKeys(text: string): Uint8Array[] {
  return list(text).map((entry, index) => {
    const key = BASE64.test(entry) ? Buffer.from(entry, "base64") : Buffer.alloc(0);
    if (key.length !== ENCRYPTION_KEY_BYTES) {
      throw new ValueProblem(
        `must be ${ENCRYPTION_KEY_BYTES} bytes in base64, several with commas between them; number ${index + 1} is not. "openssl rand -base64 32" makes one`,
      );
    }
    return new Uint8Array(key);
  });
}

export function readMasterKey(text: string): string {
  if (!MASTER_KEY.test(text)) {
    throw new ValueProblem("must be cgk_live_ and at least 16 letters, digits, '-' or '_' after it");
  }
  return text;
}

/** A name whose last label is not a number: `10.0.0` or `300.1.1.1` is a mistyped address, not a name. */
function isName(text: string): boolean {
  return HOST_NAME.test(text) && !/(?:^|\.)[0-9]+$/.test(text);
}

function list(text: string): string[] {
  const entries = text.split(",").map((entry) => entry.trim());
  if (entries.includes("")) throw new ValueProblem("has an empty entry in its list");
  return entries;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
