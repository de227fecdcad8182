// Opens a bucket as a blob store: proves that it can be written, and written once, and removes what puts that a crash cut
// off have left in it.

import type { MultipartUpload } from "@aws-sdk/client-s3";
import type { S3Setting } from "../../config/config.ts";
import { type Clock, systemClock } from "../../domain/clock.ts";
import { CoregitError } from "../../domain/errors.ts";
import { isKey } from "../blob-key.ts";
import { S3BlobStore } from "./s3-blob-store.ts";
import { objectOf, S3_LIMITS, type S3Bucket, type S3Limits, s3Bucket } from "./s3-bucket.ts";
import { isConflict, isTaken, s3Failure } from "./s3-failure.ts";

/** An upload that began so long ago is that of a process that died; another process may use the bucket too. */
const ABANDONED_AFTER_MS = 24 * 60 * 60 * 1000;

/** An object of no bytes that every opening tries to write; no key has this character. */
const PROBE = "~write-check";

type Options = { readonly clock?: Clock; readonly limits?: S3Limits };

/** @throws CoregitError `StorageUnavailable` that says what is wrong with the setting, the credentials or the server. */
export async function openS3BlobStore(
  setting: S3Setting,
  { clock = systemClock, limits = S3_LIMITS }: Options = {},
): Promise<S3BlobStore> {
  const bucket = s3Bucket(setting, limits);
  try {
    await proveRegion(bucket);
    await proveWriting(bucket);
    await removeUploads(bucket, clock.now() - ABANDONED_AFTER_MS);
  } catch (error) {
    bucket.client.destroy();
    throw s3Failure(bucket, error);
  }
  return new S3BlobStore(bucket);
}

async function proveRegion({ client, description }: S3Bucket): Promise<void> {
  await client.config.region().catch((cause: unknown) => {
    const sentence = `The blob store ${description} of COREGIT_BLOB_STORE has no region: add region= to it, or set AWS_REGION.`;
    throw new CoregitError("StorageUnavailable", sentence, { cause });
  });
}

/** One request when the probe is there: it has to be refused. */
async function proveWriting(bucket: S3Bucket): Promise<void> {
  try {
    const probe = { ...objectOf(bucket, PROBE), Body: new Uint8Array(), IfNoneMatch: "*" };
    await bucket.client.putObject(probe);
    await bucket.client.putObject(probe);
  } catch (error) {
    if (isTaken(error) || isConflict(error)) return;
    throw error;
  }
  const sentence = `The server of ${bucket.description} does not heed If-None-Match, without which a blob can be overwritten.`;
  throw new CoregitError("StorageUnavailable", sentence);
}

async function removeUploads(bucket: S3Bucket, startedBeforeMs: number): Promise<void> {
  const { client, name, prefix } = bucket;
  for (let markers: Markers = {}; ; ) {
    const page = await client.listMultipartUploads({ Bucket: name, Prefix: prefix, ...markers });
    for (const upload of page.Uploads ?? []) {
      const startedMs = upload.Initiated?.getTime() ?? Number.POSITIVE_INFINITY;
      if (startedMs < startedBeforeMs) await removeUpload(bucket, upload);
    }
    if (page.IsTruncated !== true) return;
    markers = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
  }
}

async function removeUpload({ client, name, prefix }: S3Bucket, { Key = "", UploadId }: MultipartUpload): Promise<void> {
  if (!isKey(Key.slice(prefix.length))) return;
  // One that fails, for example because another process was faster, has its next chance at the next opening.
  await client.abortMultipartUpload({ Bucket: name, Key, UploadId }).catch(() => undefined);
}

type Markers = { readonly KeyMarker?: string | undefined; readonly UploadIdMarker?: string | undefined };
