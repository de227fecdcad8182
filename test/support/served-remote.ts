// One repository here and one at a provider's double, and one export between them over a declared connection.
import type { Credential } from "../../src/domain/credential.ts";
import type { SyncStatus } from "../../src/domain/declaration.ts";
import type { Oid } from "../../src/domain/oid.ts";
import type { SyncSpec } from "../../src/domain/sync-spec.ts";
import type { Engine } from "../../src/sync/engine.ts";
import type { RunRecord } from "../../src/sync/history.ts";
import { declareSync } from "./declare-sync.ts";
import { commitHere } from "./local-commit.ts";
import type { BareRepository } from "./providers/bare-repository.ts";
import { QUIET_SPEC } from "./quiet-spec.ts";
import type { SourceFile } from "./source-repository.ts";
import type { SyncWorld } from "./sync-world.ts";

export type Files = Readonly<Record<string, SourceFile>>;

export const README = { "README.md": "# Hello\n" } as const;

/** Where exports run. */
export type ExportPlace = { readonly world: SyncWorld; readonly engine: Engine };

export type RemoteParts = {
  /** Of the repository here, the connection and the sync. */
  readonly name: string;
  readonly provider: "github" | "gitlab";
  readonly baseUrl: string;
  readonly credential: Credential;
  /** `owner/repo` or `group/sub/project`, where it is when it is declared. */
  readonly remote: () => string;
  readonly git: BareRepository;
};

export type ServedRemote = {
  readonly name: string;
  /** Declares it with this spec and waits until nothing is due. */
  declare(spec?: Partial<SyncSpec>): Promise<SyncStatus>;
  /** Makes it due and waits until nothing is due. */
  runAgain(): Promise<SyncStatus>;
  runs(): Promise<readonly RunRecord[]>;
  editHere(files: Files): Promise<Oid>;
  /** Root tree of the remote's main branch. */
  treeThere(): Promise<string>;
  treeHere(): Promise<string>;
  /** How many commits the remote's branch has. */
  commitsThere(): Promise<number>;
};

export async function serveRemote({ world, engine }: ExportPlace, parts: RemoteParts): Promise<ServedRemote> {
  const { name, provider, baseUrl, credential, remote, git } = parts;
  const here = { namespace: "default", slug: name, description: "", visibility: "private", defaultBranch: "main" } as const;
  await world.store.create({ ...here, protectedBranches: [] }, null);
  const named = { owner: { kind: "resource", ref: `uid-${name}` }, namespace: "default", name } as const;
  const connection = { label: name, provider, baseUrl, caPem: null, credential, error: null };
  await world.declarations.declareConnection({ ...named, ...connection });
  let sync: SyncStatus | null = null;
  const settle = async (): Promise<SyncStatus> => {
    if (sync === null) throw new Error("The sync is not declared.");
    return world.settle(engine, sync);
  };
  return {
    name,
    async declare(spec = {}) {
      const declared = { ...QUIET_SPEC, direction: "export", autoSync: false, remote: remote(), ...spec } as const;
      sync = await declareSync(world.declarations, { ...named, repository: name, connection: name, spec: declared });
      return settle();
    },
    async runAgain() {
      await world.database.query("UPDATE syncs SET next_run_at = now() WHERE id = $1", [sync?.id]);
      return settle();
    },
    runs: async () => (await world.history.listRuns({ syncId: sync?.id ?? "" }, { limit: 100 })).runs,
    editHere: async (edited) => commitHere(world.store, await world.repository(name), edited),
    treeThere: async () => (await git.resolve("refs/heads/main", "tree")) ?? "",
    treeHere: () => world.tree("main", name),
    commitsThere: async () => Number(await git.source.git("rev-list", "--count", "main")),
  };
}
