// The one vocabulary of failure. A code is condition reason, Event reason, run error code, API code
// (in upper snake form) and metric label. Its kind decides the retry; `docs/errors.md` documents each.

/**
 * What follows a failure:
 * `terminal` nothing will change until somebody changes something; `backoff` try again, slower each time;
 * `later` try again at the time that the failure names (`retryAtMs`).
 */
export type RetryKind = "terminal" | "backoff" | "later";

type CodeEntry = {
  readonly retry: RetryKind;
  /** Status of an HTTP answer that carries the code. */
  readonly http: number;
  /** What happened, for users; one sentence. */
  readonly meaning: string;
};

const entry = (retry: RetryKind, http: number, meaning: string): CodeEntry => ({ retry, http, meaning });

export const ERROR_CODES = {
  // The plan refuses.
  Conflict: entry("terminal", 409, "Both sides changed the same path in different ways."),
  Diverged: entry("terminal", 409, "The target changed since the last sync and the policy is Fail."),
  TooManyDeletions: entry("terminal", 409, "The run would delete more than maxDeletions allows."),
  EmptyUpstream: entry("terminal", 409, "The source has no selected files left, so the run would empty the target."),
  // The declaration cannot work.
  InvalidSpec: entry("terminal", 422, "A field of the declaration has a value that cannot work."),
  InvalidRequest: entry("terminal", 400, "The request is malformed."),
  ConnectionMissing: entry("terminal", 422, "The Connection that the sync names does not exist."),
  SecretMissing: entry("terminal", 422, "The Secret that the Connection names does not exist or is not readable."),
  SecretInvalid: entry("terminal", 422, "The Secret lacks the keys that a Connection needs, or they cannot be used."),
  DirectionUnsupported: entry("terminal", 422, "The provider of this sync cannot be exported to."),
  Managed: entry("terminal", 409, "The object is declared by a resource or a file, which alone may change it."),
  // The remote, by what must change.
  BranchMissing: entry("backoff", 422, "The remote has no such branch."),
  LocalBranchMissing: entry("terminal", 422, "The repository has no such branch, so there is nothing to export."),
  PathMissing: entry("backoff", 422, "The folder named by path or remotePath is not there or is a file."),
  RemoteNotFound: entry("backoff", 502, "The remote does not exist, or the credential may not see it."),
  AuthenticationFailed: entry("backoff", 502, "The remote refused the credential."),
  AccessDenied: entry("backoff", 502, "The remote knows the credential but denies this operation."),
  AddressRefused: entry(
    "terminal",
    422,
    "The host resolves to a private, loopback, link-local or metadata address that is not allowed.",
  ),
  RedirectRefused: entry("terminal", 502, "The remote redirects to an address, scheme or origin that is not allowed."),
  RemoteUnreachable: entry("backoff", 502, "No connection to the remote could be made or it broke off."),
  CertificateInvalid: entry("backoff", 502, "The remote's TLS certificate is not trusted."),
  RemoteProtocol: entry("backoff", 502, "The remote answered something that is not git's protocol."),
  RemoteUnsupported: entry("terminal", 502, "The remote does not offer a capability that this sync needs."),
  RemoteMoved: entry("backoff", 502, "The remote changed while the run was reading or writing it."),
  RemoteReplaced: entry("terminal", 502, "The remote's name leads to another repository than the one that was synced."),
  RemoteBranchProtected: entry("backoff", 502, "The remote protects the branch from what this credential would push."),
  RemoteRefused: entry("backoff", 502, "A rule or hook of the remote refuses the commit."),
  WorkflowScopeMissing: entry("backoff", 502, "The credential may not write the workflow files that the commit changes."),
  SecretDetected: entry("backoff", 502, "The remote found a secret in a file of the commit and takes none."),
  RemoteArchived: entry("backoff", 502, "The remote repository is archived or otherwise read-only."),
  RemoteTreeDiffers: entry("backoff", 502, "The remote made another tree of the commit than the planned one."),
  TransportUnsuited: entry(
    "terminal",
    422,
    "The provider's API cannot carry this export, and `transport: api` allows nothing else.",
  ),
  RemoteTooLarge: entry("terminal", 502, "The remote takes no file, or no push, as large as this one."),
  RateLimited: entry("later", 502, "The remote asks to wait."),
  RemoteTooSlow: entry("backoff", 504, "The remote stopped sending."),
  WebhookUnavailable: entry(
    "backoff",
    502,
    "No webhook can be had at the provider, or none of its deliveries arrives; the sync polls.",
  ),
  NoManualWebhook: entry("terminal", 409, "The sync has no webhook that somebody sets up by hand, or not yet."),
  // Limits and content.
  Timeout: entry("backoff", 504, "The run took longer than its timeout and was ended."),
  PackTooLarge: entry(
    "terminal",
    413,
    "The pack is larger than COREGIT_MAX_PACK_BYTES, or unpacks to more, or for longer, than the limit.",
  ),
  TooManyObjects: entry("terminal", 413, "The pack holds more objects than the limit."),
  OutOfMemory: entry("terminal", 413, "Reading the pack needs more memory than a git process may use."),
  PackInvalid: entry("backoff", 422, "The pack is truncated, corrupt or lacks objects."),
  ObjectInvalid: entry("terminal", 422, "An object fails git's strict checks."),
  PathRefused: entry("terminal", 422, "A tree holds a name that would be dangerous in a checkout."),
  RefNameRefused: entry("terminal", 422, "The ref name is not one that git accepts, or could be mistaken for an object id."),
  // A commit through the API.
  ChangeRefused: entry("terminal", 422, "A change of the commit does not fit the files that are there."),
  NothingToCommit: entry("terminal", 422, "The commit would change nothing."),
  CommitTooLarge: entry("terminal", 413, "The commit has more changes, or a larger file, than one commit may have."),
  // Stored state.
  RepositoryNotFound: entry("terminal", 404, "There is no such repository."),
  SyncNotFound: entry("terminal", 404, "There is no such sync."),
  RunNotFound: entry("terminal", 404, "There is no such run."),
  NotFound: entry("terminal", 404, "There is nothing at this address."),
  RepositoryExists: entry("terminal", 409, "A repository of this name exists."),
  RepositoryInUse: entry("terminal", 409, "Syncs use the repository."),
  ConnectionNotFound: entry("terminal", 404, "There is no such connection."),
  ConnectionInUse: entry("terminal", 409, "Syncs use the connection."),
  CredentialInvalid: entry("terminal", 422, "The provider does not let in with the credential that was given."),
  SyncExists: entry("terminal", 409, "The repository has a sync that the API declared."),
  RefNotFound: entry("terminal", 404, "There is no such branch, tag or commit."),
  PathNotFound: entry("terminal", 404, "There is no such file or folder in this commit."),
  UnrelatedHistories: entry("terminal", 422, "The two commits have no common ancestor."),
  AnswerTooLarge: entry("terminal", 422, "What was asked for is larger than one answer of this kind may be."),
  RangeNotSatisfiable: entry("terminal", 416, "The file has no byte of the range that was asked for."),
  RefExists: entry("terminal", 409, "A branch, tag or ref of this name exists."),
  NotFastForward: entry("terminal", 409, "The new commit does not have the ref's present commit among its ancestors."),
  DefaultBranch: entry("terminal", 409, "The default branch of a repository cannot be deleted."),
  BranchProtected: entry("terminal", 409, "The branch is protected: it cannot be deleted and only moves forward."),
  RefMoved: entry("backoff", 409, "The ref was moved by somebody else in the meantime."),
  ObjectMissing: entry("backoff", 500, "An object that should be stored could not be read."),
  CacheLost: entry("backoff", 500, "The local cache was deleted while a run used it; it is made again."),
  StorageCorrupt: entry("backoff", 500, "Stored bytes do not have the hash that was recorded for them."),
  CredentialUnreadable: entry("terminal", 500, "A stored credential cannot be decrypted with any key of COREGIT_ENCRYPTION_KEY."),
  // Access to this server.
  Unauthorized: entry("terminal", 401, "The API key, or the signature of a webhook's delivery, is missing or wrong."),
  Forbidden: entry("terminal", 403, "The API key does not allow this."),
  RateLimitExceeded: entry("later", 429, "The API key has made all the requests that it may make in this minute."),
  MethodNotAllowed: entry("terminal", 405, "This address does not take this method."),
  BodyTooLarge: entry("terminal", 413, "The request body is larger than the limit."),
  // The machinery.
  Interrupted: entry("backoff", 500, "The worker died in the middle of the run; it is run again."),
  Suspended: entry("terminal", 409, "The sync is suspended."),
  StaleLease: entry("backoff", 500, "Another worker has taken this sync over; nothing was written."),
  DatabaseUnavailable: entry("backoff", 503, "The database cannot be reached."),
  StorageUnavailable: entry("backoff", 503, "The blob store cannot be read or written."),
  DatabaseUnsupported: entry(
    "terminal",
    503,
    "The database server, or the schema in it, is not one that this program works with.",
  ),
  Internal: entry("backoff", 500, "A defect in Coregit; the log has the details."),
} as const satisfies Record<string, CodeEntry>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** Extra facts of a failure that answers and history show, for example `{ paths: [...] }` of a conflict. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

type CoregitErrorOptions = {
  readonly details?: ErrorDetails;
  /** Earliest next attempt, epoch milliseconds; only for codes of kind `later`. */
  readonly retryAtMs?: number;
  readonly cause?: unknown;
};

/** The only error that crosses a folder's border. `message` is a sentence for the user and holds no secret. */
export class CoregitError extends Error {
  override readonly name = "CoregitError";
  readonly code: ErrorCode;
  readonly details: ErrorDetails;
  readonly retryAtMs: number | null;

  constructor(code: ErrorCode, message: string, options: CoregitErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
    this.retryAtMs = options.retryAtMs ?? null;
  }
}

/** Any thrown value as a CoregitError; what nobody translated is a defect and becomes `Internal`. */
export function toCoregitError(error: unknown): CoregitError {
  if (error instanceof CoregitError) return error;
  return new CoregitError("Internal", "An internal error occurred; the log has the details.", { cause: error });
}

export function retryKind(code: ErrorCode): RetryKind {
  return ERROR_CODES[code].retry;
}

/** `TooManyDeletions` → `TOO_MANY_DELETIONS`, the form that the HTTP API shows. */
export function apiCode(code: ErrorCode): string {
  return code.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
}
