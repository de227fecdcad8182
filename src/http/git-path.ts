// Paths between requests, git's bytes, and answers. git stores bytes, JSON holds text: a path that is no text is shown
// escaped, with its bytes in base64 beside it, in which form a request may name it too.
import { z } from "zod";
import { bytesToText } from "../domain/byte-text.ts";
import { displayPath, toGitPath } from "../domain/path-rules.ts";
import type { GitPath } from "../domain/tree.ts";

/** git's own limit for a path in a checkout. */
const MAX_PATH_BYTES = 4096;

/** The two ways to name a path in a query. */
export const pathFields = {
  path: z.string().max(MAX_PATH_BYTES).describe("Path from the root, which is the empty path.").optional(),
  path_base64: z
    .string()
    .max(MAX_PATH_BYTES * 2)
    .regex(/^[\w+/-]*={0,2}$/, "must be base64")
    .describe("The path's bytes, for one that is not UTF-8; counts when both are given.")
    .optional(),
};

/** The path that a query names, without slashes around it; "" is the root. `path_base64` counts when both are given. */
export function pathOf(query: { readonly path?: string | undefined; readonly path_base64?: string | undefined }): GitPath {
  const { path = "", path_base64: bytes } = query;
  const named = bytes === undefined ? toGitPath(path) : Buffer.from(bytes, "base64").toString("latin1");
  return named.replace(/^\//, "").replace(/\/$/, "");
}

export function presentPath(path: GitPath): { readonly path: string; readonly path_base64?: string } {
  const text = bytesToText(path);
  if (text !== null) return { path: text };
  return { path: displayPath(path), path_base64: Buffer.from(path, "latin1").toString("base64") };
}
