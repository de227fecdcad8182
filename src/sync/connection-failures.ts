// What a failure of asking a provider about a credential says: that it does not let in, or only that the provider was not reached.
import { CoregitError, type ErrorCode } from "../domain/errors.ts";

/** A wrong credential, one without rights, an installation that is gone, a key that cannot sign. */
const NOT_LET_IN: ReadonlySet<ErrorCode> = new Set(["AuthenticationFailed", "AccessDenied", "RemoteNotFound", "SecretInvalid"]);

/** The provider could not be asked. */
export const NOT_REACHED: ReadonlySet<ErrorCode> = new Set([
  "InvalidSpec",
  "AddressRefused",
  "RedirectRefused",
  "RemoteUnreachable",
  "CertificateInvalid",
  "RemoteProtocol",
  "RateLimited",
  "RemoteTooSlow",
]);

export function isNotLetIn(code: ErrorCode): boolean {
  return NOT_LET_IN.has(code);
}

/** False: the failure is our own. */
export function isAboutProvider(error: unknown): error is CoregitError {
  return error instanceof CoregitError && (NOT_LET_IN.has(error.code) || NOT_REACHED.has(error.code));
}
