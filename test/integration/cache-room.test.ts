// The local cache stays within its size, also where nothing is read: bytes come in by pushes and imports as well.
import { hash } from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createTestDatabase } from "../support/database.ts";
import { addRepository, importHead, openTestStore } from "../support/git-store.ts";
import { createSourceRepository } from "../support/source-repository.ts";

const HOUR_MS = 3_600_000;
const MAX_BYTES = 40_000;

async function bytesBelow(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && /\.(?:pack|idx)$/.test(entry.name));
  const sizes = await Promise.all(files.map(async ({ parentPath, name }) => (await stat(join(parentPath, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** 12.8 kB that are the same in each run and that no compression makes smaller. */
function incompressible(seed: number): Buffer {
  return Buffer.concat(Array.from({ length: 400 }, (_, index) => hash("sha256", `${seed}/${index}`, "buffer")));
}

test("imports alone do not fill the disk: views that nobody used lately make room, and that is counted", async () => {
  await using world = await createTestDatabase();
  await using source = await createSourceRepository();
  let nowMs = Date.now();
  const clock = { now: () => nowMs, monotonic: () => nowMs };
  const seen = { views: -1, bytes: -1, evicted: 0 };
  const metrics = {
    measured: (views: number, bytes: number) => void Object.assign(seen, { views, bytes }),
    evicted: () => {
      seen.evicted += 1;
    },
  };
  await using cache = await openTestStore(world.database, { clock, cacheMaxBytes: MAX_BYTES, metrics });
  for (let index = 0; index < 8; index += 1) {
    await source.commit({ "random.txt": incompressible(index) });
    await importHead(cache.store, await addRepository(world.database, `r${index}`), source);
    nowMs += HOUR_MS;
    await cache.store.trimViews(new AbortController().signal);
    const bytes = await bytesBelow(join(cache.cacheDir, "views"));
    expect(bytes).toBeLessThanOrEqual(MAX_BYTES);
    expect(seen.bytes).toBe(bytes);
  }
  expect(seen.evicted).toBeGreaterThan(0);
  expect(seen.views).toBe((await readdir(join(cache.cacheDir, "views"))).length);
});

test("views that are taken while room is made stay", async () => {
  await using world = await createTestDatabase();
  await using source = await createSourceRepository();
  let nowMs = Date.now();
  const clock = { now: () => nowMs, monotonic: () => nowMs };
  await using cache = await openTestStore(world.database, { clock, cacheMaxBytes: 1 });
  await source.commit({ "a.txt": "a" });
  const held = await addRepository(world.database, "held");
  await importHead(cache.store, held, source);
  using lease = await cache.store.leaseView(held);
  for (let index = 0; index < 4; index += 1) {
    nowMs += HOUR_MS;
    const other = await addRepository(world.database, `r${index}`);
    await importHead(cache.store, other, source);
    await cache.store.view(other);
  }
  expect((await stat(join(lease.directory, "packed-refs"))).isFile()).toBe(true);
  expect(await readdir(join(cache.cacheDir, "views"))).toContain(held.id);
});
