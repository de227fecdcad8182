import { z } from "zod";
import { CoregitError } from "../../domain/errors.ts";
import { EMPTY_TREE, type Oid } from "../../domain/oid.ts";
import { displayPath } from "../../domain/path-rules.ts";
import type { TreeEntry } from "../../domain/tree.ts";
import { type ListedEntry, listTree } from "../../domain/tree-walk.ts";
import type { RepositoryReader, RepositoryStore } from "../../repositories/store.ts";
import { treeAnswer } from "../answers/file.ts";
import { findCommit, findEntry } from "../find-file.ts";
import { findRepository } from "../find-repository.ts";
import { pathFields, pathOf, presentPath } from "../git-path.ts";
import { presentEntry } from "../present/present-tree.ts";
import { defineRepositoryRoute, type Route } from "../route.ts";
import { flag, pageLimit, repositoryAddress, revision } from "../schemas.ts";

/** About 2 MB of JSON. Larger folders are what `git clone --filter=blob:none` is for. */
const MAX_ENTRIES = 10_000;

const query = z.strictObject({
  ref: revision.optional(),
  ...pathFields,
  recursive: flag.describe("Folders are followed by what is in them."),
  limit: pageLimit({ max: MAX_ENTRIES, byDefault: MAX_ENTRIES }),
});

export const getTree = (store: RepositoryStore): Route =>
  defineRepositoryRoute({
    name: "getTree",
    tag: "Reading",
    summary: "What is in a folder",
    description: "In git's order. A repository without commits has an empty list, not an error.",
    method: "GET",
    path: "/tree",
    access: "read",
    params: repositoryAddress,
    query,
    answers: { 200: treeAnswer },
    problems: ["RefNotFound", "PathNotFound"],
    async answer({ params, query: asked }) {
      const reader = store.reader(await findRepository(store, params));
      const path = pathOf(asked);
      const commit = await findCommit(reader, asked.ref);
      const isEmpty = commit === null && path === "";
      const root = isEmpty ? EMPTY_TREE : folderOid(await findEntry(reader, commit, path), path);
      const options = { path, isRecursive: asked.recursive, limit: asked.limit };
      const { entries, isTruncated } = await listTree(reader.readTree, root, options);
      const sizes = await readSizes(reader, entries);
      const body = {
        ref: asked.ref ?? reader.repository.defaultBranch,
        commit_sha: commit?.oid ?? null,
        ...presentPath(path),
        sha: root,
        entries: entries.map((entry) => presentEntry(entry, sizes.get(entry.folder)?.[entry.index] ?? null)),
        truncated: isTruncated,
      };
      return { status: 200, body };
    },
  });

function folderOid({ mode, oid }: TreeEntry, path: string): Oid {
  if (mode === "40000") return oid;
  const kind = mode === "160000" ? "a submodule link" : "a file";
  throw new CoregitError("PathNotFound", `${JSON.stringify(displayPath(path))} is ${kind}, not a folder.`);
}

/** Sizes by folder and position. What is listed of a folder are its first entries. */
async function readSizes(
  reader: RepositoryReader,
  entries: readonly ListedEntry[],
): Promise<ReadonlyMap<Oid, readonly (number | null)[]>> {
  const counts = new Map<Oid, number>();
  for (const { folder, index } of entries) counts.set(folder, Math.max(counts.get(folder) ?? 0, index + 1));
  const sizes = [...counts].map(async ([folder, count]) => [folder, await reader.blobSizes(folder, count)] as const);
  return new Map(await Promise.all(sizes));
}
