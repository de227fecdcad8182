import { branchOf } from "../../domain/ref-name.ts";
import type { NamedRef } from "../../repositories/store.ts";

/** A branch as the API shows it: its head is the commit that it is at. */
export function presentBranch({ name, oid }: NamedRef) {
  return { name: branchOf(name) ?? name, sha: oid };
}
