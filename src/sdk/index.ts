// What `coregit/sdk` exports.

export type { RepositoryAddress } from "./address.ts";
export { type ApiErrorCode, type ClientErrorCode, CoregitApiError, type ErrorDetails } from "./api-error.ts";
export type { Branch, BranchesApi, BranchPage, CreateBranch } from "./branches.ts";
export type { FetchFunction } from "./calls.ts";
export { type CoregitClient, type CoregitClientOptions, createCoregitClient } from "./client.ts";
export type {
  Commit,
  CommitPage,
  CommitStats,
  CommitsApi,
  CommitWithTree,
  CreateCommit,
  Identity,
  ListCommits,
  NewCommit,
} from "./commits.ts";
export type { CachedRequestOptions } from "./conditional.ts";
export type {
  Connection,
  ConnectionCredential,
  ConnectionsApi,
  ConnectionTest,
  CreateConnection,
  GitHubApp,
  NewConnection,
  UpdateConnection,
} from "./connections.ts";
export type { ChangedFile, CompareQuery, Comparison, Diff, DiffRange, DiffsApi } from "./diffs.ts";
export type { ByteRange, FileBytes, FileStream, RangeOptions } from "./file-bytes.ts";
export type { FileChange, WritableMode } from "./file-change.ts";
export type { Blob, FileBlob, FileQuery, FilesApi, Tree, TreeEntry, TreeQuery } from "./files.ts";
export { type Page, paginate } from "./paginate.ts";
export type { DeleteRef, ListNames, ListRefs, MovedRef, Ref, RefPage, RefsApi, UpdateRef } from "./refs.ts";
export type {
  CreateRepository,
  ListRepositories,
  RepositoriesApi,
  Repository,
  RepositoryPage,
  UpdateRepository,
} from "./repositories.ts";
export type { Failure, RequestOptions, Result, Success } from "./result.ts";
export type { HistoryRun, ListRuns, Plan, Run, RunPage, RunStatus, RunsApi } from "./runs.ts";
export type { ServerErrorCode } from "./server-error-codes.ts";
export type {
  AskedRun,
  CreateSyncConfig,
  HistoryPage,
  ManualWebhook,
  NewSyncConfig,
  PlannedRun,
  SyncApi,
  SyncConfig,
  SyncRun,
  TriggerSync,
  UpdateSyncConfig,
} from "./sync.ts";
export type { Direction, Provider, RunSummary, Sync, SyncEvent, SyncsApi } from "./syncs.ts";
export type { CreateTag, Tag, TagAnnotation, TagPage, TagsApi } from "./tags.ts";
export type { CreateToken, NewToken, Token, TokenPage, TokenScopes, TokensApi } from "./tokens.ts";
