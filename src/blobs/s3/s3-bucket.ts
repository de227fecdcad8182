// The bucket of a store and how long its server may take. The SDK repeats what failed in passing (a lost connection, 5xx,
// SlowDown) a bounded number of times; what it gives up on is told by `s3-failure.ts`.

import { S3 } from "@aws-sdk/client-s3";
import type { S3Setting } from "../../config/config.ts";

export type S3Limits = {
  /** How often a request is made before its failure counts. */
  readonly attempts: number;
  readonly connectMs: number;
  /** From the start of a request to the head of its answer, the sending of a part included. */
  readonly answerMs: number;
  /** Between two pieces of a body. */
  readonly silenceMs: number;
};

/** A part of 5 MiB has its 30 s even at 200 kB/s; a server that accepts and stays silent is given up after two minutes. */
export const S3_LIMITS: S3Limits = { attempts: 4, connectMs: 5_000, answerMs: 30_000, silenceMs: 30_000 };

/** What servers other than Amazon's take when the setting names no region. */
const USUAL_REGION = "us-east-1";

export type S3Bucket = {
  readonly client: S3;
  readonly name: string;
  /** What stands before every key: empty, or ends with a slash. */
  readonly prefix: string;
  /** The setting, for messages. */
  readonly description: string;
  readonly limits: S3Limits;
};

/** Makes no request. The owner destroys `client`. */
export function s3Bucket(setting: S3Setting, limits: S3Limits): S3Bucket {
  const { bucket, prefix, endpoint, forcePathStyle } = setting;
  const region = setting.region ?? (endpoint === null ? null : USUAL_REGION);
  const client = new S3({
    ...(region === null ? {} : { region }),
    ...(endpoint === null ? {} : { endpoint }),
    forcePathStyle,
    maxAttempts: limits.attempts,
    retryMode: "standard",
    requestChecksumCalculation: "WHEN_SUPPORTED",
    // Readers of blobs compare a SHA-256 of their own, also of parts of a blob, for which the server keeps no checksum.
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: {
      connectionTimeout: limits.connectMs,
      requestTimeout: limits.answerMs,
      throwOnRequestTimeout: true,
      // It would also end a body whose reader takes its time.
      socketTimeout: 0,
    },
  });
  const path = prefix === "" ? bucket : `${bucket}/${prefix}`;
  const server = endpoint === null ? "" : `?endpoint=${endpoint}`;
  return { client, name: bucket, prefix: prefix === "" ? "" : `${prefix}/`, description: `s3://${path}${server}`, limits };
}

/** Names one object in a request. */
export function objectOf(bucket: S3Bucket, key: string): { readonly Bucket: string; readonly Key: string } {
  return { Bucket: bucket.name, Key: `${bucket.prefix}${key}` };
}

/** Resolves when the bucket is there and may be listed: the cheapest question whose refusal comes with a code. */
export async function askBucket({ client, name, prefix }: S3Bucket, signal?: AbortSignal): Promise<void> {
  await client.listObjectsV2({ Bucket: name, Prefix: prefix, MaxKeys: 1 }, signal === undefined ? {} : { abortSignal: signal });
}
