// Folders and files at a commit: `tree`, `blob` and `raw`.
import type { RepositoryAddress } from "./address.ts";
import type { Calls } from "./calls.ts";
import { type CachedRequestOptions, conditionOf } from "./conditional.ts";
import { type FileBytes, type FileStream, type RangeOptions, rangeHeaders, readBytes, readStream } from "./file-bytes.ts";
import type { RequestOptions, Result } from "./result.ts";

export type TreeEntry = {
  readonly name: string;
  /** From the root. Escaped where its bytes are not UTF-8. */
  readonly path: string;
  /** The path's bytes, only where they are not UTF-8. */
  readonly path_base64?: string;
  /** `commit` is a submodule; a symbolic link is a `blob` of mode `120000`. */
  readonly type: "blob" | "tree" | "commit";
  readonly mode: string;
  readonly sha: string;
  /** Bytes; of blobs only. */
  readonly size?: number;
};

export type Tree = {
  readonly ref: string;
  /** null: the repository has no commits. */
  readonly commit_sha: string | null;
  readonly path: string;
  readonly path_base64?: string;
  readonly sha: string;
  /** In git's order. */
  readonly entries: readonly TreeEntry[];
  /** There are more than are shown. */
  readonly truncated: boolean;
};

export type Blob = {
  readonly sha: string;
  readonly size: number;
  /** `base64` for what is not UTF-8. */
  readonly encoding: "utf-8" | "base64";
  readonly content: string;
};

/** A blob, and where it stands. */
export type FileBlob = Blob & {
  readonly path: string;
  readonly path_base64?: string;
  readonly mode: string;
  readonly commit_sha: string | null;
};

/** What stands where. */
export type FileQuery = {
  /** Branch, tag, full ref name or commit, which may be abbreviated; default: the default branch. */
  readonly ref?: string | undefined;
  readonly path?: string | undefined;
  /** In place of `path`, for names that are not UTF-8: the bytes. */
  readonly path_base64?: string | undefined;
};

export type TreeQuery = FileQuery & {
  /** With all folders below. */
  readonly recursive?: boolean | undefined;
  /** 1 to 10,000, which is the default. */
  readonly limit?: number | undefined;
};

export interface FilesApi {
  /** What is in a folder, by default the root. */
  tree(repository: RepositoryAddress, query?: TreeQuery, options?: RequestOptions): Promise<Result<Tree>>;
  /** A file of at most 10 MiB, its content as text or base64. */
  blob(repository: RepositoryAddress, query: FileQuery, options?: CachedRequestOptions): Promise<Result<FileBlob>>;
  /** The same by the blob's whole id. */
  blobBySha(repository: RepositoryAddress, sha: string, options?: CachedRequestOptions): Promise<Result<Blob>>;
  /** A file's bytes, whole or in part, in memory. */
  raw(repository: RepositoryAddress, query: FileQuery, options?: RangeOptions): Promise<Result<FileBytes>>;
  /**
   * A file's bytes as they come. `timeoutMs` counts until they begin, `signal` until they end; what breaks off later is thrown
   * to who reads the stream. Cancel a stream that is not read to its end.
   */
  stream(repository: RepositoryAddress, query: FileQuery, options?: RangeOptions): Promise<Result<FileStream>>;
}

export function createFilesApi(calls: Calls): FilesApi {
  return {
    tree: (repository, query, options) => calls.json({ method: "GET", repository, path: ["tree"], query, options }),
    blob: (repository, query, options) =>
      calls.json({ method: "GET", repository, path: ["blob"], query, headers: conditionOf(options), options }),
    blobBySha: (repository, sha, options) =>
      calls.json({ method: "GET", repository, path: ["blob", sha], headers: conditionOf(options), options }),
    raw: (repository, query, options) =>
      calls.read({ method: "GET", repository, path: ["raw"], query, headers: rangeHeaders(options), options }, readBytes),
    stream: (repository, query, options) =>
      calls.read({ method: "GET", repository, path: ["raw"], query, headers: rangeHeaders(options), options }, readStream),
  };
}
