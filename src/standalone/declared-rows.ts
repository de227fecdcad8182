// What manifests of an earlier process left in the rows: their owner's ref is the manifest's key.
import type { Catalog, RepositoryListing } from "../sync/catalog.ts";
import type { Declarations } from "../sync/declarations.ts";
import type { ManifestKey } from "./manifest.ts";

const PAGE = 100;

export async function readDeclaredKeys(declarations: Declarations, catalog: Catalog): Promise<ManifestKey[]> {
  const syncs = await declarations.listSyncs({ ownerKind: "file" });
  const connections = await catalog.listConnections(null);
  const repositories = await listAllRepositories(catalog);
  return [...syncs, ...connections, ...repositories].filter(({ owner }) => owner.kind === "file").map(({ owner }) => owner.ref);
}

async function listAllRepositories(catalog: Catalog): Promise<RepositoryListing[]> {
  const all: RepositoryListing[] = [];
  for (;;) {
    const page = await catalog.listRepositories({ namespace: null, limit: PAGE, after: all.at(-1) ?? null, among: null });
    all.push(...page);
    if (page.length < PAGE) return all;
  }
}
