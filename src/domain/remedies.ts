// What users do about each code; `docs/errors.md` prints it. The type makes a code without advice a compile error.
import type { ErrorCode } from "./errors.ts";

/** Markdown, one or two sentences. */
export const REMEDIES: Readonly<Record<ErrorCode, string>> = {
  Conflict:
    "Look at the listed paths, make both sides equal there or revert one edit, and sync again; or set `onDivergence: Overwrite` when the source should win.",
  Diverged: "Decide what becomes of the target's own commits: undo them, or set `onDivergence` to `Merge` or `Overwrite`.",
  TooManyDeletions:
    "Check with `coregit plan` that the deletions are wanted, then raise `maxDeletions`, and lower it afterwards.",
  EmptyUpstream:
    "Check the branch, `path`, `include` and `exclude`. When the source is meant to be empty, set `maxDeletions: 100%`.",
  InvalidSpec: "Correct the field that the message names.",
  InvalidRequest: "Correct the request as the message says; `/v1/openapi.json` describes each route.",
  ConnectionMissing: "Create the Connection in the namespace of the RepoSync, or correct `connectionRef.name`.",
  SecretMissing: "Create the Secret in the namespace of the Connection, correct `secretRef.name`, or let the operator read it.",
  SecretInvalid:
    "Give the Secret the keys `token`, or `username` and `password`, or those of a GitHub App as the message names them; `ca.crt` must be PEM.",
  DirectionUnsupported: "Use `direction: import`, or a provider that can be exported to.",
  Managed: "Change the resource or the file that declares it; the message names it.",
  BranchMissing: "Create the branch at the remote, or correct `branch` or `remoteBranch`.",
  LocalBranchMissing: "Push or commit to the branch here, or correct `branch`; with `autoSync` the export follows by itself.",
  PathMissing: "Correct `path` or `remotePath`, or create the folder.",
  RemoteNotFound:
    "Correct `remote`, or give the credential access to it. Many servers say this of what a credential may not see.",
  AuthenticationFailed: "Renew the token or password in the Connection's Secret.",
  AccessDenied: "Give the credential the permission that the message names.",
  AddressRefused: "When the host is meant, list it in `COREGIT_ALLOWED_HOSTS`.",
  RedirectRefused: "Set `remote` or `baseUrl` to the address that the server redirects to.",
  RemoteUnreachable: "Check the host name, the network and the proxy between Coregit and the remote.",
  CertificateInvalid: "Renew the server's certificate, or put its issuer into the key `ca.crt` of the Connection's Secret.",
  RemoteProtocol: "Check that `remote` is the address of a git repository and that no proxy or login page answers in its place.",
  RemoteUnsupported: "Use a git server that speaks protocol version 2 and serves commits by id.",
  RemoteMoved: "Nothing. When it keeps happening, somebody pushes faster than a run takes; set a longer `interval`.",
  RemoteReplaced:
    "Set `remote` to where the repository is now. When the new one is meant, delete the sync and create it again, or write `remote` in another form (as a URL, or with `.git`).",
  RemoteBranchProtected:
    "Let the credential push to the branch in the remote's branch rules, or export to another branch with `remoteBranch`.",
  RemoteRefused: "Read the remote's own words in the message, and change the content, the remote's rule or the credential.",
  WorkflowScopeMissing:
    "Give a classic token the scope `workflow`, any other credential the permission Workflows: write; or leave `.github/workflows` out with `exclude`.",
  SecretDetected:
    "Take the secret out of the file, and end it where it is valid; or allow it in the remote's secret scanning when it is none.",
  RemoteArchived: "Unarchive the remote repository, or suspend or delete the sync.",
  RemoteTreeDiffers:
    "Look at the commit that the remote has, and sync again. When it keeps happening, set `transport: git` and report the message.",
  TransportUnsuited: "Set `transport` to `auto` or `git`, or leave out with `exclude` what the message names.",
  RemoteTooLarge: "Keep the large file out of the repository, leave it out with `exclude`, or raise the remote's limit.",
  RateLimited: "Nothing. When it keeps happening, set longer intervals, use webhooks, or another credential.",
  WebhookUnavailable:
    "Nothing, if polling is enough. Else set COREGIT_PUBLIC_URL to an address that the provider reaches, and let the credential manage webhooks.",
  NoManualWebhook:
    "Nothing at GitHub and GitLab. For another git server: an import with `auto_sync`, and COREGIT_PUBLIC_URL set where the workers run.",
  RemoteTooSlow: "Check the remote and the network; raise `timeout` when the repository is large.",
  Timeout: "Raise `timeout`, or sync less with `include`, `path` or `remotePath`.",
  PackTooLarge: "Raise `COREGIT_MAX_PACK_BYTES`, or keep large files out of the repository.",
  TooManyObjects: "Import a smaller repository or split it; the limit protects the server.",
  OutOfMemory: "Keep very large files out of the repository, or give Coregit more memory.",
  PackInvalid: "Nothing at first: it is fetched again. When it keeps happening, run `git fsck` on the sending side.",
  ObjectInvalid: "Run `git fsck --strict` on the repository and rewrite the object that the message names.",
  PathRefused: "Rename the entry that the message names, in the commit that is to be synced.",
  ChangeRefused: "Read the branch again and correct the entry that the message names.",
  NothingToCommit: "Nothing, the files are as wanted already; set `allow_empty` to make a commit all the same.",
  CommitTooLarge: "Split the commit; keep files larger than the limit elsewhere, or push them with git.",
  RefNameRefused: "Use another branch or tag name.",
  RepositoryNotFound: "Check namespace and slug, and that the key may read it.",
  SyncNotFound: "Check the id; `coregit get syncs` lists those that there are.",
  RunNotFound: "Check the id; `coregit history` lists the runs of a sync.",
  NotFound: "Check the address; `/v1/openapi.json` lists the routes.",
  RepositoryExists: "Use another slug, or the repository that is there.",
  ConnectionNotFound: "Correct the id; `GET /v1/connections` lists all.",
  ConnectionInUse: "Delete the syncs that the answer names first, or delete the connection with `?cascade=true`.",
  CredentialInvalid:
    "Give a credential that works now; the message has the provider's words. Check `base_url` too: another server knows nothing of it.",
  SyncExists: "Change it with PATCH, or delete it first.",
  RepositoryInUse: "Delete the syncs that the answer names first, or delete the repository with `?cascade=true`.",
  RefNotFound: "Check the name; a repository without commits has no branch yet.",
  PathNotFound: "Check the path and the commit; the `tree` route lists what is there.",
  UnrelatedHistories: "Compare the files alone with the `diff` route, which needs no common ancestor.",
  AnswerTooLarge: "Ask for less, or use the route that the message names.",
  RangeNotSatisfiable: "Ask for a range within the size that `Content-Range` gives.",
  RefExists: "Use another name, or move the ref that is there.",
  NotFastForward: "Merge or rebase onto the present head first; `force: true` gives up what is there, which the reflog keeps.",
  DefaultBranch: "Make another branch the default one first.",
  BranchProtected:
    "Merge or rebase onto the present head; or take the pattern that the message names out of the repository's protected branches.",
  RefMoved: "Read the new head and repeat the change on top of it. Syncs do that by themselves.",
  ObjectMissing:
    "Check that the blob store is complete and reachable; restore it from a backup of the same time as the database.",
  CacheLost: "Nothing; keep other programs from deleting the cache folder below COREGIT_DATA_DIR so often.",
  StorageCorrupt: "Check the disk or bucket behind the blob store, and restore the pack that the log names from a backup.",
  CredentialUnreadable: "Put the key that sealed it back into the list `COREGIT_ENCRYPTION_KEY`, or store the credential again.",
  Unauthorized:
    "Send a valid key in `x-api-key`, or as the password of HTTP Basic. A webhook has its secret from Coregit: delete it at the provider, and it is made again.",
  Forbidden: "Use a key with the scope that the message names, or the master key.",
  RateLimitExceeded: "Wait for as many seconds as `Retry-After` says, or spread the work over time.",
  MethodNotAllowed: "Use one of the methods that the `Allow` header names.",
  BodyTooLarge: "Send less at a time; the message names the limit.",
  Interrupted: "Nothing. When it keeps happening, look for restarts of the worker: memory limits, node failures.",
  Suspended: "Set `suspend: false`.",
  StaleLease: "Nothing. When it keeps happening, check that the clocks and the database connections of the workers are sound.",
  DatabaseUnavailable: "Check the database and `COREGIT_DATABASE_URL`; Coregit goes on by itself when it is back.",
  StorageUnavailable: "Check that the disk or bucket behind `COREGIT_BLOB_STORE` is there, writable and not full.",
  DatabaseUnsupported:
    "Upgrade PostgreSQL to version 14 or newer, run `coregit migrate`, or use the Coregit that made the schema.",
  Internal: "Look for the request or run id in the log, and report it as a defect.",
};
