// Whether anybody has written: PostgreSQL's version of each row of a sync and the API server's of each RepoSync move with every write.
import type { Database } from "../../src/db/database.ts";
import type { KubeApi } from "../../src/kube/kube-api.ts";
import { REPO_SYNC } from "../../src/operator/kinds.ts";

export async function writtenVersions(api: KubeApi, database: Database, namespace: string): Promise<readonly string[]> {
  const written: string[] = [];
  await api.list(REPO_SYNC, namespace, (page) => {
    for (const { metadata } of page) written.push(`${metadata.name} ${metadata.resourceVersion}`);
  });
  const found = await database.query<{ version: string }>("SELECT id || ' ' || xmin::text AS version FROM syncs");
  return [...written, ...found.rows.map(({ version }) => version)].sort();
}
