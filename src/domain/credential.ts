// What lets a connection in. Its values are secrets: never logged, never shown, sealed wherever they rest.
import { createPrivateKey } from "node:crypto";

/** What is sent as it is. */
export type DirectCredential =
  | { readonly kind: "token"; readonly token: string }
  | { readonly kind: "basic"; readonly username: string; readonly password: string };

/** A GitHub App as it is installed somewhere: it signs for tokens that live for an hour. */
export type AppCredential = {
  readonly kind: "app";
  /** The App's number, or its client id. */
  readonly appId: string;
  readonly installationId: string;
  /** PEM, PKCS #1 as GitHub gives it or PKCS #8. */
  readonly privateKey: string;
};

export type Credential = DirectCredential | AppCredential;

export const APP_ID = /^[A-Za-z0-9._]{1,64}$/;
export const INSTALLATION_ID = /^\d{1,20}$/;

/** What is wrong with a GitHub App's key, as the end of a sentence that begins with its name; null: nothing. */
export function appKeyProblem(pem: string): string | null {
  try {
    return createPrivateKey(pem).asymmetricKeyType === "rsa" ? null : "is not an RSA key";
  } catch {
    // Without the cause: OpenSSL may repeat what it was given.
    return "is not a readable private key in PEM";
  }
}
