// One source repository behind a real HTTP server, and one sync of it, as most tests of the engine need them.
import type { SyncStatus } from "../../src/domain/declaration.ts";
import type { SyncSpec } from "../../src/domain/sync-spec.ts";
import type { Engine } from "../../src/sync/engine.ts";
import type { RunRecord } from "../../src/sync/history.ts";
import type { GitHttpServer } from "./git-http-server.ts";
import { commitHere } from "./local-commit.ts";
import { createSourceRepository, type SourceRepository } from "./source-repository.ts";
import type { SyncWorld } from "./sync-world.ts";
import { serveSource } from "./test-remotes.ts";

export interface ServedSync extends AsyncDisposable {
  readonly name: string;
  readonly source: SourceRepository;
  readonly server: GitHttpServer & { readonly remoteUrl: string };
  /** Declares it with this spec and waits until nothing is due. */
  declare(spec?: Partial<SyncSpec>): Promise<SyncStatus>;
  /** Makes it due and waits until nothing is due. */
  runAgain(): Promise<SyncStatus>;
  /** Its history, newest first. */
  runs(): Promise<readonly RunRecord[]>;
  /** A commit on the local branch that the sync did not make. */
  editHere(files: Readonly<Record<string, string | null>>): Promise<string>;
  /** The local branch as `mode path content`, by path. */
  files(branch?: string): Promise<Record<string, string>>;
}

let made = 0;

export async function serveSync(
  world: SyncWorld,
  engine: Engine,
  options: { readonly branch?: string } = {},
): Promise<ServedSync> {
  await using stack = new AsyncDisposableStack();
  const source = stack.use(await createSourceRepository(options));
  const server = stack.use(await serveSource(source));
  made += 1;
  const name = `copy-${made}`;
  let sync: SyncStatus | null = null;
  const declared = (): SyncStatus => {
    if (sync === null) throw new Error("The sync is not declared.");
    return sync;
  };
  const owned = stack.move();
  return {
    name,
    source,
    server,
    async declare(spec = {}) {
      sync = await world.declare(server.remoteUrl, spec, name);
      return world.settle(engine, sync);
    },
    async runAgain() {
      await world.database.query("UPDATE syncs SET next_run_at = now() WHERE id = $1", [declared().id]);
      return world.settle(engine, declared());
    },
    runs: async () => (await world.history.listRuns({ syncId: declared().id }, { limit: 100 })).runs,
    editHere: async (files) => commitHere(world.store, await world.repository(name), files),
    async files(branch = "main") {
      const listed = await world.git(["ls-tree", "-r", branch], name);
      const files: Record<string, string> = {};
      for (const line of listed.split("\n").filter(Boolean)) {
        const [, oid = "", path = ""] = /^\d+ \w+ ([0-9a-f]+)\t(.*)$/.exec(line) ?? [];
        files[path] = await world.git(["cat-file", "blob", oid], name);
      }
      return files;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
