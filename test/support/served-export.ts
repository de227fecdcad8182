// One repository here and one bare repository behind a real HTTP server that takes pushes, and one export between them.
import type { SyncStatus } from "../../src/domain/declaration.ts";
import type { Oid } from "../../src/domain/oid.ts";
import type { SyncSpec } from "../../src/domain/sync-spec.ts";
import type { Repository } from "../../src/repositories/store.ts";
import type { Engine } from "../../src/sync/engine.ts";
import type { RunRecord } from "../../src/sync/history.ts";
import type { GitHttpServer } from "./git-http-server.ts";
import { commitHere } from "./local-commit.ts";
import { createSourceRepository, type SourceRepository } from "./source-repository.ts";
import type { SyncWorld } from "./sync-world.ts";
import { serveSource } from "./test-remotes.ts";

export interface ServedExport extends AsyncDisposable {
  readonly name: string;
  /** The remote, empty at first. */
  readonly remote: SourceRepository;
  readonly server: GitHttpServer & { readonly remoteUrl: string };
  /** Declares it with this spec and waits until nothing is due. */
  declare(spec?: Partial<SyncSpec>): Promise<SyncStatus>;
  /** Makes it due and waits until nothing is due. */
  runAgain(): Promise<SyncStatus>;
  /** Its history, newest first. */
  runs(): Promise<readonly RunRecord[]>;
  repository(): Promise<Repository>;
  /** A commit on the local branch. */
  editHere(files: Readonly<Record<string, string | null>>, branch?: string): Promise<Oid>;
  /** The remote's branch as content by path. */
  filesThere(branch?: string): Promise<Record<string, string>>;
  /** How many pushes the server was sent, announcements apart. */
  pushes(): number;
}

let made = 0;

/** The declared sync does not follow the local branch by itself, so that a test decides when it runs. */
export async function serveExport(world: SyncWorld, engine: Engine): Promise<ServedExport> {
  await using stack = new AsyncDisposableStack();
  const remote = stack.use(await createSourceRepository());
  const server = stack.use(await serveSource(remote));
  made += 1;
  const name = `out-${made}`;
  await world.store.create(
    { namespace: "default", slug: name, description: "", visibility: "private", defaultBranch: "main", protectedBranches: [] },
    null,
  );
  let sync: SyncStatus | null = null;
  const declared = (): SyncStatus => {
    if (sync === null) throw new Error("The sync is not declared.");
    return sync;
  };
  const owned = stack.move();
  return {
    name,
    remote,
    server,
    async declare(spec = {}) {
      sync = await world.declare(server.remoteUrl, { direction: "export", autoSync: false, ...spec }, name);
      return world.settle(engine, sync);
    },
    async runAgain() {
      await world.database.query("UPDATE syncs SET next_run_at = now() WHERE id = $1", [declared().id]);
      return world.settle(engine, declared());
    },
    runs: async () => (await world.history.listRuns({ syncId: declared().id }, { limit: 100 })).runs,
    repository: () => world.repository(name),
    editHere: async (files, branch) => commitHere(world.store, await world.repository(name), files, branch),
    async filesThere(branch = "main") {
      const listed = await remote.git("ls-tree", "-r", branch);
      const files: Record<string, string> = {};
      for (const line of listed.split("\n").filter(Boolean)) {
        const [, oid = "", path = ""] = /^\d+ \w+ ([0-9a-f]+)\t(.*)$/.exec(line) ?? [];
        files[path] = await remote.git("cat-file", "blob", oid);
      }
      return files;
    },
    pushes: () => server.requests.filter(({ path }) => path.endsWith("/git-receive-pack")).length,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
