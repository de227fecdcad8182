// Credentials at rest, sealed for the connection that they belong to: seal.ts has the form. Where the bytes lie is connections.ts's
// business.
import type { Credential } from "../domain/credential.ts";
import { type Belonging, damaged, isSealedWithFirst, open, type SealingKeys, seal } from "./seal.ts";

export { isSealedWithFirst, type SealingKeys };

/** @throws CoregitError `CredentialUnreadable` when there is no key to seal with. */
export function sealCredential(keys: SealingKeys, connectionId: string, credential: Credential): Uint8Array {
  return seal(keys, of(connectionId), Buffer.from(JSON.stringify(credential), "utf8"));
}

/** @throws CoregitError `CredentialUnreadable` when no key opens it, or it was sealed for another connection. */
export function openCredential(keys: SealingKeys, connectionId: string, sealed: Uint8Array): Credential {
  const text = open(keys, of(connectionId), sealed).toString("utf8");
  try {
    return JSON.parse(text) as Credential;
  } catch {
    // Without the cause: its message quotes the text.
    throw damaged(of(connectionId));
  }
}

function of(connectionId: string): Belonging {
  return { what: "credential", id: connectionId };
}
