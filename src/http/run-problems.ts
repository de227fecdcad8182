// Why a run may fail, for whoever waits for one: whatever is not about a request of the API, nor about a webhook.
import { ERROR_CODES, type ErrorCode } from "../domain/errors.ts";

const NOT_OF_RUNS: readonly ErrorCode[] = [
  "AnswerTooLarge",
  "BodyTooLarge",
  "BranchProtected",
  "ChangeRefused",
  "CommitTooLarge",
  "ConnectionInUse",
  "ConnectionNotFound",
  "CredentialInvalid",
  "DefaultBranch",
  "Forbidden",
  "InvalidRequest",
  "Managed",
  "MethodNotAllowed",
  "NotFastForward",
  "NotFound",
  "NothingToCommit",
  "PathNotFound",
  "RangeNotSatisfiable",
  "RateLimitExceeded",
  "RefExists",
  "RefNotFound",
  "RepositoryExists",
  "RepositoryInUse",
  "RepositoryNotFound",
  "RunNotFound",
  "SyncExists",
  "SyncNotFound",
  "Unauthorized",
  "UnrelatedHistories",
  "WebhookUnavailable",
];

export const RUN_PROBLEMS = (Object.keys(ERROR_CODES) as ErrorCode[]).filter((code) => !NOT_OF_RUNS.includes(code));
