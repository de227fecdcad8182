// Secrets at rest: AES-256-GCM, bound to what they belong to. Responsible for the sealed form and for rotation (the first key
// seals, every key opens); what is sealed and where the bytes lie is for others.
//
// Form, version 1: version (1 byte), key id (4: the start of the key's SHA-256), nonce (12), tag (16), ciphertext.
// Whose secret it is, is associated data, so that one that was copied to another row does not open.
import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { CoregitError } from "../domain/errors.ts";

const VERSION = 1;
const KEY_ID_BYTES = 4;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const NONCE_AT = 1 + KEY_ID_BYTES;
const TAG_AT = NONCE_AT + NONCE_BYTES;
const BODY_AT = TAG_AT + TAG_BYTES;

/** 32-byte keys: the first seals, all open. */
export type SealingKeys = readonly Uint8Array[];

/** What is sealed, as it stands in sentences, and whose it is. */
export type Belonging = { readonly what: "credential" | "webhook secret"; readonly id: string };

/** @throws CoregitError `CredentialUnreadable` when there is no key to seal with. */
export function seal(keys: SealingKeys, belonging: Belonging, bytes: Uint8Array): Uint8Array {
  const [key] = keys;
  if (key === undefined) throw unreadable(`There is no key in COREGIT_ENCRYPTION_KEY to seal a ${belonging.what} with.`);
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(associatedData(belonging));
  const body = Buffer.concat([cipher.update(bytes), cipher.final()]);
  return Buffer.concat([Uint8Array.of(VERSION), keyId(key), nonce, cipher.getAuthTag(), body]);
}

/** @throws CoregitError `CredentialUnreadable` when no key opens it, or it was sealed for another owner. */
export function open(keys: SealingKeys, belonging: Belonging, sealed: Uint8Array): Buffer {
  const { what } = belonging;
  const key = keys.find((candidate) => isSealedWith(sealed, candidate));
  if (key === undefined) throw unreadable(`The stored ${what} was sealed with a key that COREGIT_ENCRYPTION_KEY lacks.`);
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(NONCE_AT, TAG_AT), { authTagLength: TAG_BYTES });
    decipher.setAAD(associatedData(belonging));
    decipher.setAuthTag(sealed.subarray(TAG_AT, BODY_AT));
    return Buffer.concat([decipher.update(sealed.subarray(BODY_AT)), decipher.final()]);
  } catch {
    // Without the cause: what failed to open could stand in its message.
    throw damaged(belonging);
  }
}

/** True when `sealed` was made with the key that seals now; false asks for sealing it anew. */
export function isSealedWithFirst(keys: SealingKeys, sealed: Uint8Array): boolean {
  const [key] = keys;
  return key !== undefined && isSealedWith(sealed, key);
}

/** What everything begins with that a key has sealed, by key in the order of `keys`. */
export function sealPrefixes(keys: SealingKeys): readonly Uint8Array[] {
  return keys.map((key) => Buffer.concat([Uint8Array.of(VERSION), keyId(key)]));
}

export function damaged({ what }: Belonging): CoregitError {
  const owner = what === "credential" ? "connection" : "webhook";
  return unreadable(`The stored ${what} cannot be opened: it is damaged or belongs to another ${owner}.`);
}

function isSealedWith(sealed: Uint8Array, key: Uint8Array): boolean {
  if (sealed.length < BODY_AT || sealed[0] !== VERSION) return false;
  return keyId(key).equals(sealed.subarray(1, NONCE_AT));
}

function keyId(key: Uint8Array): Buffer {
  return createHash("sha256").update(key).digest().subarray(0, KEY_ID_BYTES);
}

function associatedData({ what, id }: Belonging): Buffer {
  return Buffer.from(`coregit.${what === "credential" ? "credential" : "webhook"}:${id}`, "utf8");
}

function unreadable(message: string): CoregitError {
  return new CoregitError("CredentialUnreadable", message);
}
