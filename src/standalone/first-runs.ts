// What a person sees after `coregit standalone`: the syncs while their first runs go on, then the table, the addresses and
// the next thing to try. Ends when every sync has been tried once; the log tells what happens later.
import { join } from "node:path";
import { CHANNELS, type Database } from "../db/database.ts";
import type { SyncStatus } from "../domain/declaration.ts";
import type { Declarations } from "../sync/declarations.ts";
import { createProgress, type ProgressOutput } from "./progress.ts";
import type { Standalone } from "./standalone.ts";

export type FirstRuns = {
  readonly database: Database;
  readonly declarations: Declarations;
  readonly standalone: Pick<Standalone, "problems">;
  readonly output: ProgressOutput;
  /** Base URL of the HTTP server. */
  readonly url: string;
  readonly dataDir: string;
  readonly signal: AbortSignal;
};

/** Shows the runs until each sync has had one, or `signal` aborts. */
export async function showFirstRuns({
  database,
  declarations,
  standalone,
  output,
  url,
  dataDir,
  signal,
}: FirstRuns): Promise<void> {
  let news = Promise.withResolvers<void>();
  const wake = (): void => news.resolve();
  await using _changes = await database.listen(CHANNELS.syncChanged, { onMessage: wake, onGap: wake });
  await using _ends = await database.listen(CHANNELS.runEnded, { onMessage: wake, onGap: wake });
  signal.addEventListener("abort", wake, { once: true });
  const progress = createProgress(output);
  for (;;) {
    news = Promise.withResolvers();
    const syncs = await declarations.listSyncs();
    if (signal.aborted) return;
    if (syncs.every(hasBeenTried)) {
      progress.finish(syncs);
      output.write(nextSteps({ syncs, problems: standalone.problems(), url, dataDir }));
      return;
    }
    progress.show(syncs);
    await news.promise;
  }
}

function hasBeenTried(sync: SyncStatus): boolean {
  return sync.spec.suspend || sync.handledGeneration >= sync.generation;
}

type Ending = {
  readonly syncs: readonly SyncStatus[];
  readonly problems: readonly string[];
  readonly url: string;
  readonly dataDir: string;
};

/** The lines below the table. */
export function nextSteps({ syncs, problems, url, dataDir }: Ending): string {
  const first = syncs.find((sync) => sync.lastSyncedSha !== null);
  const host = url.replace(/^https?:\/\//, "");
  const keyFile = join(dataDir, "master-key");
  const clone = ({ namespace, slug }: SyncStatus["repository"]): string =>
    `git clone "http://x:$(cat ${keyFile})@${host}/${namespace}/${slug}.git"`;
  const lines = [
    ...problems.map((problem) => `manifest: ${problem}`),
    "",
    ...syncs.filter((sync) => sync.lastSyncedSha !== null && sync.lastErrorCode === null).map(readyLine),
    `API      ${url}/v1        key in ${keyFile}`,
    ...(first === undefined ? [] : [`Clone    ${clone(first.repository)}`]),
    ...(first === undefined ? ["Next     put a RepoSync into the manifests folder"] : nextCommands(first)),
    "Stop     Ctrl-C",
    "",
  ];
  return `${lines.join("\n")}\n`;
}

function readyLine({ namespace, name, lastSyncedSha, spec }: SyncStatus): string {
  return `Ready    ${namespace}/${name} is at ${lastSyncedSha} of ${spec.remote}`;
}

function nextCommands({ name, namespace, spec }: SyncStatus): string[] {
  const flag = namespace === "default" ? "" : ` -n ${namespace}`;
  const seconds = Math.round(spec.intervalMs / 1000);
  return [
    `Next     commit something to ${spec.remote}; it appears here within ${seconds} s`,
    `         npm run coregit -- get syncs${flag} --watch`,
    `         npm run coregit -- history ${name}${flag}`,
  ];
}
