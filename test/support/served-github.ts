// One repository here and one of the GitHub double, and one export between them over a declared connection.
import type { Credential } from "../../src/domain/credential.ts";
import type { SyncStatus } from "../../src/domain/declaration.ts";
import type { Oid } from "../../src/domain/oid.ts";
import type { SyncSpec } from "../../src/domain/sync-spec.ts";
import type { Engine } from "../../src/sync/engine.ts";
import type { RunRecord } from "../../src/sync/history.ts";
import { commitHere } from "./local-commit.ts";
import type { GitHubRepository } from "./providers/github/repository.ts";
import type { GitHubDouble } from "./providers/github/start.ts";
import type { RecordedRequest } from "./providers/recording.ts";
import { QUIET_SPEC } from "./quiet-spec.ts";
import type { SourceFile } from "./source-repository.ts";
import type { SyncWorld } from "./sync-world.ts";

export type ServedGitHubOptions = {
  /** Files of the remote's first commit. Default: a README, so that it is not empty. Null: empty. */
  readonly files?: Readonly<Record<string, SourceFile>> | null;
  /** Default: a classic token with all scopes. */
  readonly credential?: (repository: GitHubRepository) => Credential;
  readonly isPrivate?: boolean;
};

export type ServedGitHub = {
  readonly name: string;
  readonly remote: GitHubRepository;
  /** Declares it with this spec and waits until nothing is due. */
  declare(spec?: Partial<SyncSpec>): Promise<SyncStatus>;
  /** Makes it due and waits until nothing is due. */
  runAgain(): Promise<SyncStatus>;
  runs(): Promise<readonly RunRecord[]>;
  editHere(files: Readonly<Record<string, SourceFile>>): Promise<Oid>;
  /** Root tree and commit of the remote's main branch. */
  head(): Promise<string>;
  treeThere(): Promise<string>;
  treeHere(): Promise<string>;
  /** Requests to the API so far, git's not counted. */
  apiCalls(): readonly RecordedRequest[];
  /** Those of them that are no GET. */
  apiWrites(): readonly RecordedRequest[];
};

export const README = { "README.md": "# Hello\n" } as const;

let made = 0;

export async function serveGitHub(
  world: SyncWorld,
  engine: Engine,
  github: GitHubDouble,
  options: ServedGitHubOptions = {},
): Promise<ServedGitHub> {
  made += 1;
  const name = `gh-${made}`;
  const { files = README, isPrivate = true } = options;
  const remote = await github.addRepository(`octocat/${name}`, { isPrivate, ...(files === null ? {} : { files }) });
  const shape = { namespace: "default", slug: name, description: "", visibility: "private", defaultBranch: "main" } as const;
  await world.store.create({ ...shape, protectedBranches: [] }, null);
  const credential = options.credential?.(remote) ?? { kind: "token" as const, token: github.addToken({ user: "octocat" }) };
  await world.declarations.declareConnection({
    owner: { kind: "resource", ref: `uid-${name}` },
    namespace: "default",
    name,
    label: name,
    provider: "github",
    baseUrl: github.url,
    caPem: null,
    credential,
    error: null,
  });
  let sync: SyncStatus | null = null;
  const settle = async (): Promise<SyncStatus> => {
    if (sync === null) throw new Error("The sync is not declared.");
    return world.settle(engine, sync);
  };
  const apiCalls = () => github.requests.filter(({ route }) => route === null || !route.startsWith("git "));
  return {
    name,
    remote,
    async declare(spec = {}) {
      sync = await world.declarations.declareSync({
        owner: { kind: "resource", ref: `uid-${name}` },
        namespace: "default",
        name,
        repository: name,
        connection: name,
        spec: { ...QUIET_SPEC, direction: "export", autoSync: false, remote: remote.fullName, ...spec },
      });
      return settle();
    },
    async runAgain() {
      await world.database.query("UPDATE syncs SET next_run_at = now() WHERE id = $1", [sync?.id]);
      return settle();
    },
    runs: async () => (await world.history.listRuns({ syncId: sync?.id ?? "" }, { limit: 100 })).runs,
    editHere: async (edited) => commitHere(world.store, await world.repository(name), edited),
    head: async () => (await remote.git.ref("refs/heads/main")) ?? "",
    treeThere: async () => (await remote.git.resolve("refs/heads/main", "tree")) ?? "",
    treeHere: () => world.tree("main", name),
    apiCalls,
    apiWrites: () => apiCalls().filter(({ method }) => method !== "GET"),
  };
}
