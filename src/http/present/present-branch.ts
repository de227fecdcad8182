import { branchOf } from "../../domain/ref-name.ts";
import type { NamedRef } from "../../repositories/store.ts";
import type { AnswerOf } from "../answers/answer-of.ts";
import type { branchAnswer } from "../answers/ref.ts";

/** A branch as the API shows it: its head is the commit that it is at. */
export function presentBranch({ name, oid }: NamedRef): AnswerOf<typeof branchAnswer> {
  return { name: branchOf(name) ?? name, sha: oid };
}
