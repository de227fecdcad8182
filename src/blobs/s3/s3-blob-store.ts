// Blobs as objects of one bucket, below a prefix. The bucket's server makes a write visible at once and whole, and refuses
// the second write of a key; what a put leaves unfinished is an upload that no reader sees.

import type { ListObjectsV2CommandOutput } from "@aws-sdk/client-s3";
import { checkKey, checkPrefix, isKey } from "../blob-key.ts";
import type { BlobKey, BlobStore } from "../blob-store.ts";
import { type ByteRange, resolveRange } from "../byte-range.ts";
import { bytesOfFile, exactBytes } from "../byte-source.ts";
import { ObjectReader } from "./object-reader.ts";
import { objectSize, putObject } from "./put-object.ts";
import { askBucket, objectOf, type S3Bucket } from "./s3-bucket.ts";
import { s3Failure } from "./s3-failure.ts";

/** Probes of readiness do not wait for the repetitions of the SDK. */
const CHECK_DEADLINE_MS = 10_000;

export class S3BlobStore implements BlobStore {
  readonly description: string;
  readonly #bucket: S3Bucket;

  /** Takes over the bucket's client. `openS3BlobStore` makes sure that the bucket can be written. */
  constructor(bucket: S3Bucket) {
    this.#bucket = bucket;
    this.description = bucket.description;
  }

  async put(key: BlobKey, source: AsyncIterable<Uint8Array>, size: number, signal?: AbortSignal): Promise<void> {
    checkKey(key);
    const blob = { key, size, source: exactBytes(source, size, signal), signal };
    await this.#told(putObject(this.#bucket, blob), signal);
  }

  async putFile(key: BlobKey, path: string, size: number, signal?: AbortSignal): Promise<void> {
    await this.put(key, bytesOfFile(path), size, signal);
  }

  async *get(key: BlobKey, range?: ByteRange, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    checkKey(key);
    const { start, end } = resolveRange(range, Number.MAX_SAFE_INTEGER);
    // A range of no bytes cannot be asked for, but the key has to be there.
    using reader = new ObjectReader(this.#bucket, key, { start, end: Math.max(end, start + 1) }, signal);
    for (;;) {
      const piece = await this.#told(reader.next(), signal);
      if (piece === null || start === end) return;
      yield piece;
    }
  }

  async size(key: BlobKey): Promise<number | null> {
    checkKey(key);
    return await this.#told(objectSize(this.#bucket, key));
  }

  async delete(key: BlobKey): Promise<void> {
    checkKey(key);
    await this.#told(this.#bucket.client.deleteObject(objectOf(this.#bucket, key)));
  }

  async *list(prefix: string, after?: BlobKey) {
    checkPrefix(prefix);
    const { client, name, prefix: folder } = this.#bucket;
    const StartAfter = after === undefined ? undefined : `${folder}${after}`;
    const request = { Bucket: name, Prefix: `${folder}${prefix}`, StartAfter };
    for (let ContinuationToken: string | undefined; ; ) {
      const page = await this.#told(client.listObjectsV2({ ...request, ContinuationToken }));
      yield* blobsOf(page, folder);
      ContinuationToken = page.NextContinuationToken;
      if (page.IsTruncated !== true || ContinuationToken === undefined) return;
    }
  }

  async check(): Promise<void> {
    await this.#told(askBucket(this.#bucket, AbortSignal.timeout(CHECK_DEADLINE_MS)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#bucket.client.destroy();
  }

  /** What the SDK throws, in the words of the setting; an abort by the caller with its own reason. */
  async #told<T>(answer: Promise<T>, signal?: AbortSignal): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      signal?.throwIfAborted();
      throw s3Failure(this.#bucket, error);
    }
  }
}

/** What lies there under a name that no key has is the probe of an opening, or not ours. */
function* blobsOf(page: ListObjectsV2CommandOutput, folder: string) {
  for (const { Key = "", Size: size = 0, LastModified } of page.Contents ?? []) {
    const key = Key.slice(folder.length);
    if (isKey(key)) yield { key, size, writtenAtMs: LastModified?.getTime() ?? 0 };
  }
}
