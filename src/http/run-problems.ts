// Why a run may fail, for whoever waits for one: whatever is not about a request of the API.
import { ERROR_CODES, type ErrorCode } from "../domain/errors.ts";

const OF_REQUESTS: readonly ErrorCode[] = [
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
];

export const RUN_PROBLEMS = (Object.keys(ERROR_CODES) as ErrorCode[]).filter((code) => !OF_REQUESTS.includes(code));
