// The first commit of a repository that begins with one: a README that says its name.
import { signatureAt } from "../domain/commit.ts";
import { encodeCommit, encodeTree, type NewObject, newObject } from "../domain/object-codec.ts";
import type { Oid } from "../domain/oid.ts";

const AUTHOR = { name: "Coregit", email: "noreply@coregit.dev" };

export function readmeCommit(
  { slug, description }: { readonly slug: string; readonly description: string },
  nowMs: number,
): { readonly objects: readonly NewObject[]; readonly commit: Oid } {
  const text = description === "" ? `# ${slug}\n` : `# ${slug}\n\n${description}\n`;
  const blob = newObject("blob", Buffer.from(text));
  const tree = newObject("tree", encodeTree([{ name: "README.md", mode: "100644", oid: blob.oid }]));
  const author = signatureAt(AUTHOR, nowMs);
  const content = { tree: tree.oid, parents: [], author, committer: author, message: "Initial commit\n" };
  const commit = newObject("commit", encodeCommit(content));
  return { objects: [blob, tree, commit], commit: commit.oid };
}
