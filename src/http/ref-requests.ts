// What the routes of branches, tags and refs share: finding one, and where a new one begins.
import { z } from "zod";
import { CoregitError } from "../domain/errors.ts";
import type { Oid } from "../domain/oid.ts";
import { branchRef, checkRefName } from "../domain/ref-name.ts";
import { type ChangeContext, refNotFound } from "../repositories/change-ref.ts";
import type { RepositoryReader, RepositoryStore } from "../repositories/store.ts";
import { findRepository } from "./find-repository.ts";
import type { Principal } from "./principal.ts";
import { oid, type RepositoryAddress, refName, revision } from "./schemas.ts";

/** What makes a branch or a tag: its name and at most one place to begin at, the default branch when there is none. */
export const newRefBody = z
  .strictObject({ name: refName, from: revision.optional(), from_sha: oid.optional(), sha: oid.optional() })
  .refine(({ from, from_sha, sha }) => [from, from_sha, sha].filter((place) => place !== undefined).length <= 1, {
    message: "must have only one of from, from_sha and sha",
  });

/** Where the ref is now. @throws CoregitError `RefNotFound`, also for a name that git does not take. */
export async function readExistingRef(reader: RepositoryReader, name: string): Promise<Oid> {
  const found = checkRefName(name) === null ? await reader.readRef(name) : null;
  if (found === null) throw refNotFound(name);
  return found;
}

/** @throws CoregitError `RefNotFound`. */
export async function readStart(reader: RepositoryReader, body: z.output<typeof newRefBody>): Promise<Oid> {
  const given = body.from_sha ?? body.sha;
  if (given !== undefined) return given;
  if (body.from !== undefined) return await reader.resolveCommit(body.from);
  const head = await reader.readRef(branchRef(reader.repository.defaultBranch));
  if (head === null) throw new CoregitError("RefNotFound", "The repository has no commit on its default branch yet.");
  return head;
}

/** All that `changeRef` needs of a request. @throws CoregitError `RepositoryNotFound`. */
export async function changeContext(
  store: RepositoryStore,
  {
    params,
    principal,
    signal,
  }: { readonly params: RepositoryAddress; readonly principal: Principal; readonly signal: AbortSignal },
  reason: string,
): Promise<ChangeContext> {
  return { store, repository: await findRepository(store, params), actor: principal.actor, reason, signal };
}
