// Exports by a provider's API: 1,000 text files at first, then one changed file, to a double on loopback in this process. What counts
// is the number of requests; the time has the double's own work in it.
import { CHANNELS } from "../src/db/database.ts";
import type { Repository } from "../src/repositories/store.ts";
import { commitHere } from "../test/support/local-commit.ts";
import { startGitHub } from "../test/support/providers/github/start.ts";
import { startGitLab } from "../test/support/providers/gitlab/start.ts";
import type { RecordedRequest } from "../test/support/providers/recording.ts";
import { QUIET_SPEC } from "../test/support/quiet-spec.ts";
import { manyFiles } from "../test/support/source-repository.ts";
import { type EngineStack, openEngineStack } from "./engine-stack.ts";
import { type BenchRow, formatMs, median, timed } from "./measure.ts";

const FILES = 1_000;
const CHANGES = 9;
const README = { "README.md": "# Mirror\n" } as const;

/** A double with one repository that has a README. */
export type ExportTarget = {
  readonly bench: string;
  readonly provider: "github" | "gitlab";
  readonly baseUrl: string;
  readonly token: string;
  readonly remote: string;
  readonly requests: () => readonly RecordedRequest[];
  readonly clear: () => void;
  /** Most requests to the API for all files, and for one changed file. */
  readonly limits: { readonly first: number; readonly change: number };
};

export async function benchGitHubExport(): Promise<readonly BenchRow[]> {
  await using github = await startGitHub();
  const repository = await github.addRepository("octocat/mirror", { isPrivate: true, files: README });
  return await measureExport({
    bench: "github-export",
    provider: "github",
    baseUrl: github.url,
    token: github.addToken({ user: "octocat" }),
    remote: repository.fullName,
    requests: () => github.requests,
    clear: () => github.clear(),
    limits: { first: 12, change: 5 },
  });
}

/** The first export is pushed: it has more files than GitLab's API is used for. What it asks of the API is the project's number. */
export async function benchGitLabExport(): Promise<readonly BenchRow[]> {
  await using gitlab = await startGitLab();
  const project = await gitlab.addProject("team/mirror", { isPrivate: true, files: README });
  const bench = "gitlab-export";
  const rows = await measureExport({
    bench,
    provider: "gitlab",
    baseUrl: gitlab.url,
    token: gitlab.addToken({ user: "team" }),
    remote: project.fullPath,
    requests: () => gitlab.requests,
    clear: () => gitlab.clear(),
    limits: { first: 1, change: 2 },
  });
  const exports = 1 + CHANGES;
  const commits = Number(await project.git.source.git("rev-list", "--count", "main")) - 1;
  const result = `${commits} for ${exports} exports`;
  return [
    ...rows,
    { bench, what: "commits on the remote", result, limit: "1 each", isWithin: commits === exports, figures: { commits } },
  ];
}

export async function measureExport(target: ExportTarget): Promise<readonly BenchRow[]> {
  await using stack = await openEngineStack();
  const name = { owner: { kind: "file", ref: "mirror" }, namespace: "bench", name: "mirror" } as const;
  const { provider, baseUrl, token, remote } = target;
  const credential = { kind: "token", token } as const;
  await stack.declarations.declareConnection({
    ...name,
    label: "double",
    provider,
    baseUrl,
    caPem: null,
    credential,
    error: null,
  });
  const shape = { namespace: "bench", slug: "mirror", description: "", visibility: "private", defaultBranch: "main" } as const;
  const repository = await stack.store.create({ ...shape, protectedBranches: [] }, null);
  const source = await commitHere(stack.store, repository, { ...README, ...manyFiles(FILES) });
  target.clear();
  const spec = { ...QUIET_SPEC, direction: "export", branch: "main", remote } as const;
  const declare = () => stack.declarations.declareSync({ ...name, repository: "mirror", connection: "mirror", spec });
  const first = await timed(() => exported(stack, source, declare));
  const firstCalls = apiCalls(target);
  const changes = await oneByOne(stack, repository, target);
  const { bench, limits } = target;
  return [
    row(bench, `first export of ${FILES} text files`, { ms: [first], calls: [firstCalls], limit: limits.first }),
    row(bench, "export of 1 changed file", { ...changes, limit: limits.change }),
  ];
}

async function oneByOne(stack: EngineStack, repository: Repository, target: ExportTarget) {
  const ms: number[] = [];
  const calls: number[] = [];
  for (let round = 0; round < CHANGES; round += 1) {
    target.clear();
    ms.push(
      await timed(async () => {
        const oid = await commitHere(stack.store, repository, { "folder-000/part-0/file-000001.txt": `round ${round}\n` });
        await exported(stack, oid, async () => undefined);
      }),
    );
    calls.push(apiCalls(target));
  }
  return { ms, calls };
}

/** Resolves when the sync shows this commit as exported. */
async function exported({ database, declarations }: EngineStack, oid: string, begin: () => Promise<unknown>): Promise<void> {
  let changed = Promise.withResolvers<void>();
  const wake = (): void => changed.resolve();
  await using _changes = await database.listen(CHANNELS.syncChanged, { onMessage: wake, onGap: wake });
  await begin();
  for (;;) {
    const [sync] = await declarations.listSyncs();
    if (sync?.lastError) throw new Error(`the export failed: ${sync.lastError}`);
    if (sync?.lastSyncedSha === oid) return;
    await changed.promise;
    changed = Promise.withResolvers();
  }
}

function apiCalls({ requests }: ExportTarget): number {
  return requests().filter(({ route }) => route === null || !route.startsWith("git ")).length;
}

type Measured = { readonly ms: readonly number[]; readonly calls: readonly number[]; readonly limit: number };

function row(bench: string, what: string, { ms, calls, limit }: Measured): BenchRow {
  const most = Math.max(...calls);
  return {
    bench,
    what,
    result: `${most} API calls, ${formatMs(median(ms))}`,
    limit: `${limit} API calls`,
    isWithin: most <= limit,
    figures: { calls: most, medianMs: median(ms), maxMs: Math.max(...ms) },
  };
}
