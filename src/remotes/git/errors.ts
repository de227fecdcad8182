// What went wrong with a request, in the vocabulary of failure: from undici's, Node's and OpenSSL's codes and from HTTP
// statuses. The only place where those are interpreted.
import { CoregitError, type ErrorCode } from "../../domain/errors.ts";
import type { GitSide } from "./transport.ts";

/** Node's names for a chain or a host name that does not verify, besides those that begin with `CERT_`. */
const CERTIFICATE_CODES: ReadonlySet<string> = new Set([
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "ERR_TLS_CERT_ALTNAME_FORMAT",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY",
  "INVALID_CA",
  "INVALID_PURPOSE",
  "PATH_LENGTH_EXCEEDED",
  "HOSTNAME_MISMATCH",
]);

const PROTOCOL_CODES = /^(?:HPE_|ERR_SSL_|UND_ERR_HEADERS_OVERFLOW|UND_ERR_RES_CONTENT_LENGTH_MISMATCH)/;

/** A lying server cannot put a sync to sleep for longer. */
const MAX_RETRY_AFTER_MS = 24 * 3600 * 1000;
/** For a limit without a time: the shortest that GitHub and GitLab document for their secondary limits. */
const DEFAULT_RETRY_AFTER_MS = 60_000;

function causes(error: unknown): unknown[] {
  const chain: unknown[] = [];
  for (let at = error; at instanceof Error && chain.length < 8; at = at.cause) chain.push(at);
  return chain;
}

function codeOf(error: unknown): string | null {
  for (const cause of causes(error)) {
    if (cause instanceof Error && "code" in cause && typeof cause.code === "string") return cause.code;
  }
  return null;
}

/** Why the signal ended the transfer: its own reason when it is one of ours. */
export function abortFailure(signal: AbortSignal): CoregitError {
  const { reason } = signal;
  if (reason instanceof CoregitError) return reason;
  const isDeadline = reason instanceof Error && reason.name === "TimeoutError";
  return isDeadline
    ? new CoregitError("Timeout", "The remote had not answered in full when the time was up.", { cause: reason })
    : new CoregitError("Interrupted", "The transfer from the remote was stopped.", { cause: reason });
}

/** Any failure of a request to `host`, or of the body of its answer. */
export function requestFailure(error: unknown, host: string, signal: AbortSignal): CoregitError {
  const own = causes(error).find((cause) => cause instanceof CoregitError);
  if (own instanceof CoregitError) return own;
  if (signal.aborted) return abortFailure(signal);
  const code = codeOf(error) ?? "unknown error";
  const [failure, sentence] = explain(code);
  return new CoregitError(failure, `${host}: ${sentence} (${code}).`, { cause: error });
}

function explain(code: string): [ErrorCode, string] {
  if (code === "UND_ERR_HEADERS_TIMEOUT") return ["RemoteTooSlow", "The remote accepted the request and did not answer"];
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return ["RemoteUnreachable", "The host's name could not be resolved"];
  if (code.startsWith("CERT_") || CERTIFICATE_CODES.has(code)) {
    return ["CertificateInvalid", "The TLS certificate is not trusted"];
  }
  if (PROTOCOL_CODES.test(code)) return ["RemoteProtocol", "The remote does not speak HTTP as it should"];
  return ["RemoteUnreachable", "The connection to the remote failed or broke off"];
}

export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
};

export type Asked = {
  readonly host: string;
  readonly service: GitSide;
  /** Whether the request carried the credential, and if not, why. */
  readonly credential: "sent" | "none" | "withheld";
  /** Epoch milliseconds. */
  readonly nowMs: number;
};

const UNAUTHORIZED: Readonly<Record<Asked["credential"], string>> = {
  sent: "refused the credential",
  none: "asks for a credential, and there is none",
  withheld: "asks for the credential after a redirect to another origin, to which it is not sent; declare the new address",
};

const DENIED: Readonly<Record<GitSide, string>> = {
  "upload-pack": "denies access to the repository",
  "receive-pack": "denies pushing to the repository; the credential needs write access",
};

/** The failure that a status other than 200 stands for. */
export function statusFailure(answer: Answer, asked: Asked): CoregitError {
  const { status } = answer;
  if (isRateLimit(answer)) {
    return new CoregitError("RateLimited", `${asked.host} asks to wait (HTTP ${status}).`, {
      retryAtMs: asked.nowMs + retryAfterMs(answer, asked.nowMs),
    });
  }
  if (status === 401) return new CoregitError("AuthenticationFailed", `${asked.host} ${UNAUTHORIZED[asked.credential]}.`);
  if (status === 403) return new CoregitError("AccessDenied", `${asked.host} ${DENIED[asked.service]} (HTTP 403).`);
  if (status === 413) return new CoregitError("RemoteTooLarge", `${asked.host} takes no push of this size (HTTP 413).`);
  if (status === 404 || status === 410) {
    return new CoregitError("RemoteNotFound", `${asked.host} has no such repository, or hides it (HTTP ${status}).`);
  }
  const code = status >= 500 ? "RemoteUnreachable" : "RemoteProtocol";
  return new CoregitError(code, `${asked.host} answered HTTP ${status}.`);
}

function isRateLimit({ status, headers }: Answer): boolean {
  if (status === 429) return true;
  return (status === 403 || status === 503) && headers["retry-after"] !== undefined;
}

/** Retry-After is seconds or a date (RFC 9110 section 10.2.3). */
export function retryAfterMs({ headers }: Pick<Answer, "headers">, nowMs: number): number {
  const value = String(headers["retry-after"] ?? "").trim();
  const askedMs = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - nowMs;
  return Number.isNaN(askedMs) ? DEFAULT_RETRY_AFTER_MS : Math.min(Math.max(askedMs, 0), MAX_RETRY_AFTER_MS);
}
