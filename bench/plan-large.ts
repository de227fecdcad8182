// The plan of 20,000 files against 20,000 of which 100 differ, trees in memory: the decision without input or output.
import { plan } from "../src/domain/plan.ts";
import { EVERYTHING } from "../src/domain/selection.ts";
import { MemoryTrees } from "../test/support/memory-trees.ts";
import { largePath } from "./large-repository.ts";
import { type BenchRow, formatMs, median, timed } from "./measure.ts";

const FILES = 20_000;
const CHANGED = 100;
const ROUNDS = 50;
const LIMIT_MS = 50;

export async function benchPlanLarge(): Promise<readonly BenchRow[]> {
  const trees = new MemoryTrees();
  const files: Record<string, string> = {};
  for (let index = 0; index < FILES; index += 1) files[largePath(index)] = `file ${index}`;
  const base = await trees.make(files);
  for (let index = 0; index < CHANGED; index += 1) files[largePath(index * 199)] = `changed ${index}`;
  const source = await trees.make(files);
  const input = {
    source,
    target: base,
    syncPoint: { source: base, target: base },
    policy: "Merge",
    selection: EVERYTHING,
    sourcePath: "",
    targetPath: "",
    maxDeletions: null,
  } as const;
  const ms: number[] = [];
  let reads = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    trees.forgetReads();
    ms.push(
      await timed(async () => {
        const result = await plan(trees.read, input);
        if (result.kind !== "changes" || result.modified !== CHANGED) throw new Error("the plan is not what it should be");
      }),
    );
    reads = trees.reads;
  }
  return [
    {
      bench: "plan-large",
      what: `${FILES} files against ${FILES}, ${CHANGED} differ, warm`,
      result: `${formatMs(median(ms))}, ${reads} trees read`,
      limit: `≤ ${LIMIT_MS} ms`,
      isWithin: median(ms) <= LIMIT_MS,
      figures: { medianMs: median(ms), maxMs: Math.max(...ms), treesRead: reads },
    },
  ];
}
