// The objects of a commit as packs. Few and small ones travel in the commit's own pack; what is more than that is packed
// before the branch's turn comes, so that a long way to the blob store holds up nobody else.
import type { FileChange } from "../domain/file-change.ts";
import type { NewObject } from "../domain/object-codec.ts";
import { writeLargePack, writePack } from "../git/pack-writer.ts";
import { type PackDestination, prepareMade } from "./prepare-pack.ts";
import type { PreparedPack } from "./store.ts";

/** Blobs of a commit: packed already, or still to go into the commit's pack. */
export type CommitBlobs = { readonly packs: readonly PreparedPack[]; readonly loose: readonly NewObject[] };

export function blobsOf(changes: readonly FileChange[]): readonly NewObject[] {
  return changes.flatMap((change) => ("blob" in change ? [change.blob] : []));
}

/** Whether the objects are more than what travels in one transaction. */
export function areLarge(objects: readonly NewObject[], { inlinePackBytes }: Pick<PackDestination, "inlinePackBytes">): boolean {
  return objects.reduce((sum, { content }) => sum + content.byteLength, 0) > inlinePackBytes;
}

/** A pack of objects made in process; when this resolves it is durable or small. */
export async function packObjects(objects: readonly NewObject[], destination: PackDestination): Promise<PreparedPack> {
  const written = areLarge(objects, destination) ? await writeLargePack(objects) : writePack(objects);
  return await prepareMade(written, destination);
}
