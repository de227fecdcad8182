// Everything that a source repository has, brought into a stored one as a push brings it.
import { type Oid, parseOid } from "../../src/domain/oid.ts";
import type { LocalRepositoryStore } from "../../src/repositories/open-repository-store.ts";
import type { Repository } from "../../src/repositories/store.ts";
import { gitBytes } from "./git.ts";
import { chunked } from "./git-store.ts";
import type { SourceRepository } from "./source-repository.ts";

/** Publishes all objects and refs of the source, which the stored repository must not have yet. */
export async function pushSource(
  store: LocalRepositoryStore,
  repository: Repository,
  source: SourceRepository,
): Promise<ReadonlyMap<string, Oid>> {
  const signal = AbortSignal.timeout(120_000);
  const pack = await gitBytes(["-C", source.path, "pack-objects", "--all", "--stdout", "--quiet"], { input: "" });
  await using quarantine = await store.quarantine(repository);
  await quarantine.receivePack(chunked(pack), { shallowTips: [] }, signal);
  const packs = await quarantine.seal({ source: "push", dropCommits: false }, signal);
  const listed = (await source.git("for-each-ref", "--format=%(refname) %(objectname)")).split("\n");
  const refs = new Map(listed.map((line) => [line.split(" ")[0] ?? "", parseOid(line.split(" ")[1] ?? "")]));
  const updates = [...refs].map(([name, next]) => ({ name, expected: null, next }));
  await store.publish({ repositoryId: repository.id, packs, refs: updates, actor: "master", reason: "push" });
  return refs;
}
