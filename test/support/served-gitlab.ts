// One repository here and one project of the GitLab double, and one export between them over a declared connection.
import type { SyncStatus } from "../../src/domain/declaration.ts";
import type { Oid } from "../../src/domain/oid.ts";
import type { SyncSpec } from "../../src/domain/sync-spec.ts";
import type { Engine } from "../../src/sync/engine.ts";
import type { RunRecord } from "../../src/sync/history.ts";
import { commitHere } from "./local-commit.ts";
import type { GitLabScope, RoleName } from "./providers/gitlab/credentials.ts";
import type { GitLabProject } from "./providers/gitlab/project.ts";
import type { GitLabDouble } from "./providers/gitlab/start.ts";
import { QUIET_SPEC } from "./quiet-spec.ts";
import type { SourceFile } from "./source-repository.ts";
import type { SyncWorld } from "./sync-world.ts";

type Files = Readonly<Record<string, SourceFile>>;

export type ServedGitLabOptions = {
  /** Files of the remote's first commit. Default: a README, so that it is not empty. Null: empty. */
  readonly files?: Files | null;
  /** Default: `api`. */
  readonly scopes?: readonly GitLabScope[];
  /** Default: maintainer. */
  readonly role?: RoleName;
};

export type ServedGitLab = {
  readonly name: string;
  readonly remote: GitLabProject;
  readonly token: string;
  /** Declares it with this spec and waits until nothing is due. */
  declare(spec?: Partial<SyncSpec>): Promise<SyncStatus>;
  /** Makes it due and waits until nothing is due. */
  runAgain(): Promise<SyncStatus>;
  runs(): Promise<readonly RunRecord[]>;
  editHere(files: Files): Promise<Oid>;
  treeThere(): Promise<string>;
  treeHere(): Promise<string>;
  /** How many commits the remote's branch has. */
  commitsThere(): Promise<number>;
};

export const README = { "README.md": "# Hello\n" } as const;

let made = 0;

export async function serveGitLab(
  world: SyncWorld,
  engine: Engine,
  gitlab: GitLabDouble,
  { files = README, scopes = ["api"], role = "maintainer" }: ServedGitLabOptions = {},
): Promise<ServedGitLab> {
  made += 1;
  const name = `gl-${made}`;
  const user = `dev-${made}`;
  const shape = { isPrivate: true, members: { [user]: role } };
  const remote = await gitlab.addProject(`group/sub/${name}`, files === null ? shape : { ...shape, files });
  const token = gitlab.addToken({ user, scopes });
  const owner = { kind: "resource", ref: `uid-${name}` } as const;
  const here = { namespace: "default", slug: name, description: "", visibility: "private", defaultBranch: "main" } as const;
  await world.store.create({ ...here, protectedBranches: [] }, null);
  await world.declarations.declareConnection({
    owner,
    namespace: "default",
    name,
    label: name,
    provider: "gitlab",
    baseUrl: gitlab.url,
    caPem: null,
    credential: { kind: "token", token },
    error: null,
  });
  let sync: SyncStatus | null = null;
  const settle = async (): Promise<SyncStatus> => {
    if (sync === null) throw new Error("The sync is not declared.");
    return world.settle(engine, sync);
  };
  return {
    name,
    remote,
    token,
    async declare(spec = {}) {
      const declared = { ...QUIET_SPEC, direction: "export", autoSync: false, remote: remote.fullPath, ...spec } as const;
      const names = { namespace: "default", name, repository: name, connection: name };
      sync = await world.declarations.declareSync({ owner, ...names, spec: declared });
      return settle();
    },
    async runAgain() {
      await world.database.query("UPDATE syncs SET next_run_at = now() WHERE id = $1", [sync?.id]);
      return settle();
    },
    runs: async () => (await world.history.listRuns({ syncId: sync?.id ?? "" }, { limit: 100 })).runs,
    editHere: async (edited) => commitHere(world.store, await world.repository(name), edited),
    treeThere: async () => (await remote.git.resolve("refs/heads/main", "tree")) ?? "",
    treeHere: () => world.tree("main", name),
    commitsThere: async () => Number(await remote.git.source.git("rev-list", "--count", "main")),
  };
}
