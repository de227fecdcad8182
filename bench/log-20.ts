// The last 20 commits of a long history through the API: warm, and as the first question to a process whose cache is empty,
// which has to bring the pack first. What bringing the pack takes is measured alone, on a store of this process.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { openBlobStore } from "../src/blobs/open-blob-store.ts";
import { systemClock } from "../src/domain/clock.ts";
import { openRepositoryStore } from "../src/repositories/open-repository-store.ts";
import { storeLimits } from "../src/repositories/store-options.ts";
import { createLogger } from "../src/telemetry/log.ts";
import { git } from "../test/support/git.ts";
import { type ApiProcess, startApiProcess } from "./api-process.ts";
import { createLongHistory } from "./long-history.ts";
import { type BenchRow, formatMs, median, timed } from "./measure.ts";

const COMMITS = 50_000;
const WARM_ROUNDS = 500;
/** The first call of each copy is one that finds nothing in the cache. */
const COPIES = 4;

async function readLog(api: ApiProcess, slug: string): Promise<void> {
  const { status, body } = await api.get(`/v1/repos/${slug}/commits?limit=20`);
  if (status !== 200 || !Array.isArray(body.commits) || body.commits.length !== 20)
    throw new Error(`the log was answered ${status}`);
}

/** How long each copy takes from the blob store into an empty local cache. */
async function fillMs(api: ApiProcess, slugs: readonly string[]): Promise<number[]> {
  await using blobs = await openBlobStore({ kind: "file", directory: join(api.dataDir, "packs") }, api.database);
  const cacheDir = join(api.dataDir, "bench-cache");
  const logger = createLogger({ level: "error", format: "json", destination: process.stderr });
  const { database } = api;
  const options = { database, blobs, cacheDir, cacheMaxBytes: 2 ** 40, limits: storeLimits(2 ** 31), logger, clock: systemClock };
  await using store = await openRepositoryStore(options);
  const ms: number[] = [];
  for (const slug of slugs) {
    const repository = await store.find("default", slug);
    if (repository === null) throw new Error(`no repository ${slug}`);
    ms.push(await timed(() => store.view(repository)));
  }
  await rm(cacheDir, { recursive: true });
  return ms;
}

export async function benchLogTwenty(): Promise<readonly BenchRow[]> {
  await using source = await createLongHistory(COMMITS);
  await using api = await startApiProcess();
  const slugs = ["warm-up", ...Array.from({ length: COPIES }, (_, index) => `copy-${index}`)];
  const host = api.url.replace("://", `://any:${api.key}@`);
  for (const slug of slugs) {
    await api.addRepository(slug);
    await source.git("push", "--quiet", `${host}/${slug}.git`, "main:refs/heads/main");
  }
  await api.restart("emptied");
  const [warmUp = "", ...copies] = slugs;
  for (let round = 0; round < 20; round += 1) await readLog(api, warmUp);
  const fills = await fillMs(api, slugs);
  const [first, native]: [number[], number[]] = [[], []];
  for (const slug of copies) {
    native.push(await timed(() => git(["-C", source.path, "log", "-20", "main"])));
    first.push(await timed(() => readLog(api, slug)));
  }
  const warm: number[] = [];
  for (let round = 0; round < WARM_ROUNDS; round += 1) warm.push(await timed(() => readLog(api, "copy-0")));
  const fill = median(fills.slice(1));
  const limit = 2 * median(native) + fill;
  return [
    {
      bench: "log-20",
      what: `the last 20 of ${COMMITS} commits, warm`,
      result: `p50 ${formatMs(median(warm))}`,
      limit: "≤ 4 ms",
      isWithin: median(warm) <= 4,
      figures: { p50: median(warm) },
    },
    {
      bench: "log-20",
      what: "the first call on an empty cache",
      result: formatMs(median(first)),
      limit: `≤ ${formatMs(limit)}: 2 × git log -20 (${formatMs(median(native))}) and the pack's fill (${formatMs(fill)})`,
      isWithin: median(first) <= limit,
      figures: { firstMs: median(first), gitMs: median(native), fillMs: fill },
    },
  ];
}
