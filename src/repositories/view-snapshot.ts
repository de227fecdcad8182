// What a view is to show, read without holding anything up.
import type { Queryable } from "../db/database.ts";
import { type LivePack, listLivePacks } from "../db/packs.ts";
import { readRefs } from "../db/refs.ts";
import { readRepositoryState } from "../db/repositories.ts";
import { CoregitError } from "../domain/errors.ts";
import type { RefSnapshot } from "./bare-directory.ts";

export type ViewSnapshot = RefSnapshot & { readonly packs: readonly LivePack[] };

/**
 * The version, refs at least as new, and packs at least as new as the refs: whatever a ref leads to is in them, also when
 * packs are published or replaced meanwhile. @throws CoregitError `RepositoryNotFound`.
 */
export async function readSnapshot(db: Queryable, repositoryId: string): Promise<ViewSnapshot> {
  const state = await readRepositoryState(db, repositoryId);
  if (state === null) throw new CoregitError("RepositoryNotFound", "There is no such repository.");
  const refs = await readRefs(db, repositoryId);
  return { version: state.version, refs, packs: await listLivePacks(db, repositoryId) };
}
