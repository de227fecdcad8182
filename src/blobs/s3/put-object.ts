// How bytes get into the bucket: in one request when they are few, else in parts, which nobody sees until the request that
// completes them. Both end with a request that carries `If-None-Match: *`, so that a key is written once. That request is not
// aborted: what becomes of it would be unknown.

import type { CompletedPart } from "@aws-sdk/client-s3";
import { CoregitError } from "../../domain/errors.ts";
import type { BlobKey } from "../blob-store.ts";
import { inParts } from "../byte-source.ts";
import { askBucket, objectOf, type S3Bucket } from "./s3-bucket.ts";
import { isConflict, isTaken, s3Code, s3Status } from "./s3-failure.ts";

/** What a put holds in memory. S3 takes no part below 5 MiB but the last. */
const PART_BYTES = 8 * 1024 * 1024;

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MAX_PARTS = 10_000;

export type Blob = {
  readonly key: BlobKey;
  readonly size: number;
  /** Gives exactly `size` bytes or throws. */
  readonly source: AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal | undefined;
};

/** Resolves when `key` is there, with these bytes or those of an earlier put. */
export async function putObject(bucket: S3Bucket, blob: Blob): Promise<void> {
  if (blob.size <= PART_BYTES) await putWhole(bucket, blob);
  else if ((await objectSize(bucket, blob.key)) === null) await putParts(bucket, blob);
}

/** null: there is no such object. */
export async function objectSize(bucket: S3Bucket, key: BlobKey): Promise<number | null> {
  try {
    const { ContentLength: size } = await bucket.client.headObject(objectOf(bucket, key));
    return size ?? null;
  } catch (error) {
    if (s3Status(error) !== 404) throw error;
    // The answer has no body that would tell a missing object from a missing bucket.
    await askBucket(bucket);
    return null;
  }
}

async function putWhole(bucket: S3Bucket, { key, size, source }: Blob): Promise<void> {
  const bytes = new Uint8Array(size);
  let filled = 0;
  for await (const piece of source) {
    bytes.set(piece, filled);
    filled += piece.length;
  }
  await writeOnce(bucket, key, () => bucket.client.putObject({ ...objectOf(bucket, key), Body: bytes, IfNoneMatch: "*" }));
}

async function putParts(bucket: S3Bucket, blob: Blob): Promise<void> {
  const { client } = bucket;
  const object = objectOf(bucket, blob.key);
  const { UploadId } = await client.createMultipartUpload({ ...object, ChecksumAlgorithm: "CRC32" });
  if (UploadId === undefined)
    throw new CoregitError("StorageUnavailable", `${bucket.description} began an upload without an id.`);
  const upload = { ...object, UploadId };
  let isWritten = false;
  try {
    const Parts = await sendParts(bucket, upload, blob);
    const complete = () => client.completeMultipartUpload({ ...upload, MultipartUpload: { Parts }, IfNoneMatch: "*" });
    isWritten = await writeOnce(bucket, blob.key, complete);
  } finally {
    // When this fails too, the upload is removed when a store is opened a day later.
    if (!isWritten) await client.abortMultipartUpload(upload).catch(() => undefined);
  }
}

type Upload = { readonly Bucket: string; readonly Key: string; readonly UploadId: string };

/** One after the other, so that one part is in memory, and none is under way when the upload is given up. */
async function sendParts({ client }: S3Bucket, upload: Upload, { source, size, signal }: Blob): Promise<CompletedPart[]> {
  const parts: CompletedPart[] = [];
  const options = signal === undefined ? {} : { abortSignal: signal };
  for await (const Body of inParts(source, Math.max(PART_BYTES, Math.ceil(size / MAX_PARTS)))) {
    const PartNumber = parts.length + 1;
    const part = { ...upload, PartNumber, Body, ChecksumAlgorithm: "CRC32" } as const;
    const { ETag, ChecksumCRC32 } = await client.uploadPart(part, options);
    parts.push({ PartNumber, ETag, ChecksumCRC32 });
  }
  return parts;
}

/** Whether `write` wrote the key; false: an earlier put did. */
async function writeOnce(bucket: S3Bucket, key: BlobKey, write: () => Promise<unknown>): Promise<boolean> {
  for (let attempt = 1; attempt < bucket.limits.attempts; attempt += 1) {
    const outcome = await tryWrite(bucket, key, write);
    if (outcome !== "conflict") return outcome === "written";
  }
  await write();
  return true;
}

async function tryWrite(
  bucket: S3Bucket,
  key: BlobKey,
  write: () => Promise<unknown>,
): Promise<"written" | "taken" | "conflict"> {
  try {
    await write();
    return "written";
  } catch (error) {
    if (isTaken(error)) return "taken";
    if (isConflict(error)) return "conflict";
    // The answer to the first attempt was lost: it ended the upload that the next one looked for.
    if (s3Code(error) === "NoSuchUpload" && (await objectSize(bucket, key)) !== null) return "written";
    throw error;
  }
}
