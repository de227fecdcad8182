// Who may clone, fetch or push: the repository of a git request, when the caller has the right to it. Without a valid key a
// private repository and a missing one are answered alike, and so they are to a key that may not know of the one there is.
import type { FastifyReply, FastifyRequest } from "fastify";
import { CoregitError } from "../domain/errors.ts";
import type { Right } from "../domain/token-scopes.ts";
import type { Repository, RepositoryStore } from "../repositories/store.ts";
import type { Admit } from "./admission.ts";
import { gitKeyOf } from "./keys.ts";
import { authorize, canRead, type Principal } from "./principal.ts";
import { repositoryAddress } from "./schemas.ts";

/** How git and git-lfs are asked for a key. */
export const GIT_REALM = 'Basic realm="coregit", charset="UTF-8"';

export type GitDoors = { readonly store: Pick<RepositoryStore, "find">; readonly admit: Admit };

/** `principal` null: nobody in particular, who reads a public repository. */
export type GitAccess = { readonly repository: Repository; readonly principal: Principal | null };

/** @throws CoregitError `Unauthorized`, `RateLimitExceeded`, `RepositoryNotFound`, `Forbidden`. */
export async function admitGit(
  request: FastifyRequest,
  reply: FastifyReply,
  { store, admit, right }: GitDoors & { readonly right: Right },
): Promise<GitAccess> {
  const key = gitKeyOf(request.headers);
  const principal = key === null ? null : await admit(key, reply);
  const address = repositoryAddress.safeParse(request.params);
  const repository = address.success ? await store.find(address.data.namespace, address.data.slug) : null;
  if (principal === null) {
    if (repository?.visibility === "public" && right === "read") return { repository, principal };
    throw new CoregitError("Unauthorized", "Use an API key as the password; any user name will do.");
  }
  if (repository === null || !canRead(principal, repository)) {
    throw new CoregitError("RepositoryNotFound", "There is no such repository.");
  }
  authorize(principal, repository, right);
  return { repository, principal };
}

/** Whoever pushes is somebody: `actor` is what the reflog calls them. @throws as `admitGit`. */
export async function admitPush(
  request: FastifyRequest,
  reply: FastifyReply,
  doors: GitDoors,
): Promise<{ readonly repository: Repository; readonly actor: string }> {
  const { repository, principal } = await admitGit(request, reply, { ...doors, right: "write" });
  if (principal === null) throw new CoregitError("Unauthorized", "Nobody pushes without a key.");
  return { repository, actor: principal.actor };
}
