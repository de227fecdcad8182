// What the SDK throws, read by code and status, and told in the words of the setting.

import { CoregitError } from "../../domain/errors.ts";
import { storageFailure } from "../storage-failure.ts";
import type { S3Bucket } from "./s3-bucket.ts";

const REFUSED = "the credentials are refused";
const NOT_ALLOWED = "the credentials lack a permission; docs/storage.md lists what is needed";
const ELSEWHERE = "the bucket is in another region; name it with region=";
const OVERLOADED = "the server is overloaded";
const SILENT = "the server does not answer in time";

/** Codes of S3 (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html) and names of the SDK's own errors. */
const REASONS: Readonly<Record<string, string>> = {
  NoSuchBucket: "there is no such bucket",
  InvalidBucketName: "the server does not allow a bucket of that name",
  CredentialsProviderError: "no credentials were found in the environment, a profile, a web identity or the machine's role",
  InvalidAccessKeyId: REFUSED,
  SignatureDoesNotMatch: REFUSED,
  ExpiredToken: REFUSED,
  InvalidToken: REFUSED,
  RequestTimeTooSkewed: "the clock of this machine is wrong",
  PermanentRedirect: ELSEWHERE,
  AuthorizationHeaderMalformed: ELSEWHERE,
  IllegalLocationConstraintException: ELSEWHERE,
  SlowDown: OVERLOADED,
  TimeoutError: SILENT,
  AbortError: SILENT,
};

const REASONS_BY_STATUS: Readonly<Record<number, string>> = {
  301: ELSEWHERE,
  403: NOT_ALLOWED,
  429: OVERLOADED,
  501: "the server lacks a function of S3 that the store needs",
  503: OVERLOADED,
};

/** S3's code or the name of the SDK's error, for example `NoSuchKey`; empty when there is none. */
export function s3Code(error: unknown): string {
  return error instanceof Error ? error.name : "";
}

/** The HTTP status that came with the error; 0 when no answer came. */
export function s3Status(error: unknown): number {
  if (!(error instanceof Error) || !("$metadata" in error)) return 0;
  const { $metadata: metadata } = error;
  if (typeof metadata !== "object" || metadata === null || !("httpStatusCode" in metadata)) return 0;
  return typeof metadata.httpStatusCode === "number" ? metadata.httpStatusCode : 0;
}

/** The key is there already: `If-None-Match` kept it. */
export function isTaken(error: unknown): boolean {
  return s3Status(error) === 412;
}

/** Another write of the same key ended first; the request may be made again. */
export function isConflict(error: unknown): boolean {
  return s3Status(error) === 409;
}

/** `StorageUnavailable` that says what is wrong; a CoregitError, or what the source of a put threw, as it is. */
export function s3Failure(bucket: S3Bucket, error: unknown): unknown {
  const status = s3Status(error);
  const reason = REASONS[s3Code(error)] ?? (status === 0 ? unreached(error) : refusal(status));
  if (reason === null) return storageFailure(bucket.description, error);
  const code = status === 0 ? "" : ` (${s3Code(error)})`;
  const sentence = `The blob store ${bucket.description} of COREGIT_BLOB_STORE cannot be used: ${reason}${code}.`;
  return new CoregitError("StorageUnavailable", sentence, { cause: error });
}

function refusal(status: number): string {
  return REASONS_BY_STATUS[status] ?? `the server answered ${status}`;
}

/** Errors of the system, which have its codes. */
function unreached(error: unknown): string | null {
  if (!(error instanceof Error) || error instanceof CoregitError || !("code" in error)) return null;
  return `its server cannot be reached (${String(error.code)})`;
}
