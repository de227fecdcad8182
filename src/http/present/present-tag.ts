// A tag as the API shows it: `sha` is the commit that it leads to, also through an annotated tag's own object.
import { tagOf } from "../../domain/ref-name.ts";
import type { NamedRef, RepositoryReader } from "../../repositories/store.ts";
import type { AnswerOf } from "../answers/answer-of.ts";
import type { tagAnswer } from "../answers/ref.ts";

/** @throws CoregitError `ObjectMissing`. */
export async function presentTag(reader: RepositoryReader, { name, oid }: NamedRef): Promise<AnswerOf<typeof tagAnswer>> {
  const short = tagOf(name) ?? name;
  if ((await reader.objectType(oid)) !== "tag") return { name: short, sha: oid, annotation: null };
  const [tag, commit] = await Promise.all([reader.readTag(oid), reader.peel(oid)]);
  return {
    name: short,
    // A tag may name a tree or a file: git's own sources have both.
    sha: commit ?? tag.target,
    annotation: {
      sha: tag.oid,
      message: tag.message.replace(/\n+$/, ""),
      tagger_name: tag.tagger?.name ?? null,
      tagger_email: tag.tagger?.email ?? null,
      timestamp: tag.tagger?.timestamp ?? null,
    },
  };
}
