// Why a credential may fail to be tried out, for whoever gives one.
import type { ErrorCode } from "../domain/errors.ts";
import { NOT_REACHED } from "../sync/connection-failures.ts";

export const TRY_OUT_PROBLEMS: readonly ErrorCode[] = ["CredentialInvalid", ...NOT_REACHED];
