// A repository from end to end, believing nothing: every live pack is read and compared with its hashes, a fresh view is built
// of them, everything that rows expect is looked for in it, and git checks every object and every link. What rows expect is
// read before the list of packs, so that a publish meanwhile makes nothing look lost; packs that a compaction replaces
// meanwhile can still be read for a day.
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { type ExpectedObject, listExpectedObjects, type RepositoryName } from "../../db/expected-objects.ts";
import { type LivePack, listLivePacks } from "../../db/packs.ts";
import { CoregitError } from "../../domain/errors.ts";
import { EMPTY_TREE, parseOid } from "../../domain/oid.ts";
import { CatFile } from "../../git/cat-file.ts";
import { findFaults } from "../../git/fsck.ts";
import { makeBareDirectory, writeHead, writeRefs } from "../bare-directory.ts";
import { packPath } from "../pack-fill.ts";
import { findDamage, type PackStorage, storedPackReader } from "./stored-pack.ts";

export type Inspection = { readonly packs: number; readonly bytes: number; readonly objects: number; readonly refs: number };

type Place = PackStorage & {
  /** For the view: a folder that is made, and removed at the end. It takes as much room as the packs. */
  readonly folder: string;
};

/** How much of what is wrong is told; where the rest is like it, more would not help. */
const TOLD = 5;

/**
 * Counts of what was found to be in order.
 * @throws CoregitError `StorageCorrupt` that names the packs or objects that are wrong.
 */
export async function inspectRepository(repository: RepositoryName, place: Place, signal: AbortSignal): Promise<Inspection> {
  const expected = await listExpectedObjects(place.database, repository.id);
  const packs = await listLivePacks(place.database, repository.id);
  try {
    await makeBareDirectory(place.folder);
    refuse("Damaged packs", await fillFolder(repository, packs, place, signal));
    refuse("Missing objects", await findMissing(place.folder, expected));
    await writeHead(place.folder, repository.default_branch);
    await writeRefs(place.folder, { version: 0n, refs: pins(expected) });
    refuse("git fsck found", await findFaults(place.folder, signal));
  } finally {
    await rm(place.folder, { recursive: true, force: true });
  }
  const sum = (count: (pack: LivePack) => number) => packs.reduce((total, pack) => total + count(pack), 0);
  return {
    packs: packs.length,
    bytes: sum(({ packSize, idxSize }) => packSize + idxSize),
    objects: sum(({ objectCount }) => objectCount),
    refs: expected.filter(({ isRef }) => isRef).length,
  };
}

function refuse(what: string, problems: readonly string[]): void {
  if (problems.length === 0) return;
  const more = problems.length > TOLD ? `; and ${problems.length - TOLD} more` : "";
  throw new CoregitError("StorageCorrupt", `${what}: ${problems.slice(0, TOLD).join("; ")}${more}.`);
}

/** Puts the packs where git finds them. Gives what is wrong with those that are damaged. */
async function fillFolder(
  { id: repositoryId }: RepositoryName,
  packs: readonly LivePack[],
  { folder, ...storage }: Place,
  signal: AbortSignal,
): Promise<string[]> {
  const damages: string[] = [];
  for (const pack of packs) {
    signal.throwIfAborted();
    const read = storedPackReader({ ...pack, repositoryId }, storage, signal);
    const damage = await findDamage(read, (bytes, part) =>
      pipeline(bytes, createWriteStream(packPath(folder, pack.name, part)), { signal }),
    );
    if (damage !== null) damages.push(`${pack.id} (${damage.toLowerCase().replace(/\.$/, "")})`);
  }
  return damages;
}

async function findMissing(gitDir: string, expected: readonly ExpectedObject[]): Promise<string[]> {
  await using reader = new CatFile(gitDir);
  const problems: string[] = [];
  for (const { oid, owner, isTree } of expected) {
    const found = await reader.info(oid);
    if (found === null) problems.push(`${oid}, which ${owner} needs, is not stored`);
    else if (isTree && found.type !== "tree") problems.push(`${oid} of ${owner} is a ${found.type} and no tree`);
  }
  return problems;
}

/** A ref to each expected object, so that git follows them all. The empty tree is known to git without being stored. */
function pins(expected: readonly ExpectedObject[]) {
  const oids = new Set(expected.map(({ oid }) => oid).filter((oid) => oid !== EMPTY_TREE));
  return new Map([...oids].sort().map((oid) => [`refs/expected/${oid}`, parseOid(oid)]));
}
