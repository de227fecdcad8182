// Why a credential may fail to be tried out, for whoever gives one.
import type { ErrorCode } from "../domain/errors.ts";

export const TRY_OUT_PROBLEMS: readonly ErrorCode[] = [
  "CredentialInvalid",
  "InvalidSpec",
  "AddressRefused",
  "RedirectRefused",
  "RemoteUnreachable",
  "CertificateInvalid",
  "RemoteProtocol",
  "RateLimited",
  "RemoteTooSlow",
];
