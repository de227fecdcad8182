import { isUtf8 } from "node:buffer";
import { z } from "zod";
import { CoregitError } from "../../domain/errors.ts";
import type { Oid } from "../../domain/oid.ts";
import type { RepositoryReader, RepositoryStore } from "../../repositories/store.ts";
import { blobAnswer, fileAnswer } from "../answers/file.ts";
import { entityTag, isNotModified } from "../conditional.ts";
import { findFile } from "../find-file.ts";
import { findRepository } from "../find-repository.ts";
import { pathFields, pathOf, presentPath } from "../git-path.ts";
import { presentMode } from "../present/present-tree.ts";
import { REVALIDATED } from "../raw-file.ts";
import { defineRepositoryRoute, type Route, type RouteInput } from "../route.ts";
import { oid, repositoryAddress, revision } from "../schemas.ts";

/** As large as a file that a commit through the API may hold. */
const MAX_BYTES = 10 * 1024 * 1024;

export const getBlob = (store: RepositoryStore): Route =>
  defineRepositoryRoute({
    name: "getBlob",
    tag: "Reading",
    summary: "A blob by its id",
    description: "At most 10,485,760 bytes; `raw` sends files of any size.",
    method: "GET",
    path: "/blob/:sha",
    access: "read",
    answersHead: true,
    params: repositoryAddress.extend({ sha: oid.describe("Full id of the blob.") }),
    answers: { 200: blobAnswer, 304: {} },
    problems: ["NotFound", "AnswerTooLarge"],
    async answer({ params, headers }) {
      const reader = store.reader(await findRepository(store, params));
      return await answerBlob(reader, params.sha, { headers, more: {} });
    },
  });

export const getFile = (store: RepositoryStore): Route =>
  defineRepositoryRoute({
    name: "getFile",
    tag: "Reading",
    summary: "A file by revision and path",
    description: "At most 10,485,760 bytes; `raw` sends files of any size. A symbolic link's content is the path that it names.",
    method: "GET",
    path: "/blob",
    access: "read",
    answersHead: true,
    params: repositoryAddress,
    query: z.strictObject({ ref: revision.optional(), ...pathFields }),
    answers: { 200: fileAnswer, 304: {} },
    problems: ["RefNotFound", "PathNotFound", "AnswerTooLarge"],
    async answer({ params, query, headers }) {
      const reader = store.reader(await findRepository(store, params));
      const { commitOid, path, entry } = await findFile(reader, query.ref, pathOf(query));
      const more = { ...presentPath(path), mode: presentMode(entry.mode), commit_sha: commitOid };
      return await answerBlob(reader, entry.oid, { headers, more });
    },
  });

type About<M> = {
  readonly headers: RouteInput<unknown, unknown, unknown>["headers"];
  /** What the answer says beside the blob's own facts. */
  readonly more: M;
};

async function answerBlob<M extends { readonly commit_sha?: Oid | null }>(
  reader: RepositoryReader,
  oid: Oid,
  { headers, more }: About<M>,
) {
  // The same content at another path or commit is another answer.
  const tag = entityTag([oid, more.commit_sha].filter((part) => part !== undefined).join("-"));
  const size = await reader.blobSize(oid);
  if (size === null) throw new CoregitError("NotFound", `There is no blob ${oid} in this repository.`);
  const cached = { ...REVALIDATED, etag: tag };
  if (isNotModified(headers, tag)) return { status: 304 as const, headers: cached, bytes: null };
  if (size > MAX_BYTES) {
    const details = { size, max_size: MAX_BYTES };
    throw new CoregitError("AnswerTooLarge", `The file has ${size} bytes; the raw route sends files of any size.`, { details });
  }
  const content = Buffer.from(await reader.readBlob(oid));
  const isText = isUtf8(content);
  const encoded = {
    encoding: isText ? ("utf-8" as const) : ("base64" as const),
    content: content.toString(isText ? "utf8" : "base64"),
  };
  return { status: 200 as const, headers: cached, body: { sha: oid, ...more, size, ...encoded } };
}
