// The port to the account behind a credential: who the provider says it is, what it may do and when it ends.
import type { Credential } from "../domain/credential.ts";
import type { RemoteTarget } from "./remote.ts";

/** A connection without a repository. Carries the credential: never logged as a whole. */
export type AccountTarget = Omit<RemoteTarget, "remote" | "credential"> & { readonly credential: Credential | null };

/** What the provider tells; null: it does not tell, or the provider has no accounts. */
export type Account = {
  readonly externalUsername: string | null;
  /** Scopes of a token; for a GitHub App its permissions as `contents:write`. */
  readonly scopes: readonly string[] | null;
  /** ISO 8601 in UTC. */
  readonly expiresAt: string | null;
};

/** As much as a Connection's status has room for. */
const MAX_NAME = 256;
const MAX_SCOPES = 64;
const MAX_SCOPE = 128;

/** What the provider told, fit to be stored and shown whatever server it is. */
export function tidyAccount({ externalUsername, scopes, expiresAt }: Account): Account {
  const tidy = (text: string, length: number): string => text.replace(/\p{C}+/gu, " ").slice(0, length);
  return {
    externalUsername: externalUsername === null ? null : tidy(externalUsername, MAX_NAME),
    scopes: scopes?.slice(0, MAX_SCOPES).map((scope) => tidy(scope, MAX_SCOPE)) ?? null,
    expiresAt,
  };
}

export const UNKNOWN_ACCOUNT: Account = { externalUsername: null, scopes: null, expiresAt: null };

export interface Accounts {
  /**
   * Asks the provider about the credential, now. Safe to repeat: changes nothing there but that a GitHub App may be given a
   * token. Servers of provider `git` have no accounts: of them only the base URL, if there is one, is tried out.
   * @throws CoregitError `AuthenticationFailed`, `AccessDenied`, `RemoteNotFound` (no such installation), `RateLimited`, `InvalidSpec`
   *   (the base URL), `SecretInvalid`, `AddressRefused`, `RedirectRefused`, `RemoteUnreachable`, `RemoteTooSlow`,
   *   `RemoteProtocol`, `CertificateInvalid`, and the reason of `signal`.
   */
  inspectCredential(target: AccountTarget, signal: AbortSignal): Promise<Account>;
}
