// Credentials at rest: AES-256-GCM, bound to the connection that they belong to. Responsible for the sealed form and for
// rotation (the first key seals, every key opens); where the bytes lie is connections.ts's business.
//
// Form, version 1: version (1 byte), key id (4: the start of the key's SHA-256), nonce (12), tag (16), ciphertext.
// The connection's id is associated data, so that a credential copied to another row does not open.
import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import type { Credential } from "../domain/credential.ts";
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

/** @throws CoregitError `CredentialUnreadable` when there is no key to seal with. */
export function sealCredential(keys: SealingKeys, connectionId: string, credential: Credential): Uint8Array {
  const [key] = keys;
  if (key === undefined) throw unreadable("There is no key in COREGIT_ENCRYPTION_KEY to seal a credential with.");
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(associatedData(connectionId));
  const body = Buffer.concat([cipher.update(JSON.stringify(credential), "utf8"), cipher.final()]);
  return Buffer.concat([Uint8Array.of(VERSION), keyId(key), nonce, cipher.getAuthTag(), body]);
}

/** @throws CoregitError `CredentialUnreadable` when no key opens it, or it was sealed for another connection. */
export function openCredential(keys: SealingKeys, connectionId: string, sealed: Uint8Array): Credential {
  const key = keys.find((candidate) => isSealedWith(sealed, candidate));
  if (key === undefined) throw unreadable("The stored credential was sealed with a key that COREGIT_ENCRYPTION_KEY lacks.");
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(NONCE_AT, TAG_AT), { authTagLength: TAG_BYTES });
    decipher.setAAD(associatedData(connectionId));
    decipher.setAuthTag(sealed.subarray(TAG_AT, BODY_AT));
    const text = Buffer.concat([decipher.update(sealed.subarray(BODY_AT)), decipher.final()]).toString("utf8");
    return JSON.parse(text) as Credential;
  } catch {
    // Without the cause: what failed to open could stand in its message.
    throw unreadable("The stored credential cannot be opened: it is damaged or belongs to another connection.");
  }
}

/** True when `sealed` was made with the key that seals now; false asks for sealing it anew. */
export function isSealedWithFirst(keys: SealingKeys, sealed: Uint8Array): boolean {
  const [key] = keys;
  return key !== undefined && isSealedWith(sealed, key);
}

function isSealedWith(sealed: Uint8Array, key: Uint8Array): boolean {
  if (sealed.length < BODY_AT || sealed[0] !== VERSION) return false;
  return keyId(key).equals(sealed.subarray(1, NONCE_AT));
}

function keyId(key: Uint8Array): Buffer {
  return createHash("sha256").update(key).digest().subarray(0, KEY_ID_BYTES);
}

function associatedData(connectionId: string): Buffer {
  return Buffer.from(`coregit.credential:${connectionId}`, "utf8");
}

function unreadable(message: string): CoregitError {
  return new CoregitError("CredentialUnreadable", message);
}
