import { randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { git } from "../../test/support/git.ts";
import { createSourceRepository } from "../../test/support/source-repository.ts";
import { newObject, objectId } from "../domain/object-codec.ts";
import { listOids } from "./pack-index.ts";
import { writePack } from "./pack-writer.ts";
import { isSmallPack, readSmallPack } from "./small-pack.ts";

/** A history of files that differ a little, so that git makes deltas of deltas. */
async function packedHistory(...options: string[]) {
  await using source = await createSourceRepository();
  const lines = Array.from({ length: 300 }, () => randomBytes(20).toString("hex"));
  for (let round = 0; round < 12; round += 1) {
    lines[round * 7] = `changed in round ${round}`;
    await source.commit({ [`folder/${round}.txt`]: "new\n", "large.txt": lines.toSpliced(round, 3).join("\n") });
  }
  await source.git("tag", "-a", "-m", "A tag", "v1", "main");
  await source.git(...options, "repack", "-adfq", "--depth=20", "--window=20");
  const folder = join(source.path, "objects", "pack");
  const files = await readdir(folder);
  const read = (end: string) => readFile(join(folder, files.find((file) => file.endsWith(end)) ?? ""));
  const deltas = (await git(["verify-pack", "-s", join(folder, files.find((file) => file.endsWith(".idx")) ?? "")])).match(
    /chain/g,
  );
  return { pack: await read(".pack"), idx: await read(".idx"), deltas };
}

describe("a small pack", () => {
  test.each([
    ["by distance", []],
    ["by oid", ["-c", "repack.useDeltaBaseOffset=false"]],
  ])("with deltas %s gives each object as its name says", async (_, options) => {
    const { pack, idx, deltas } = await packedHistory(...options);
    expect(deltas?.length, "chains of deltas of several lengths").toBeGreaterThan(2);
    const objects = readSmallPack(pack, idx);
    expect([...(objects?.keys() ?? [])].toSorted()).toEqual(listOids(idx));
    for (const { oid, type, size, content } of objects?.values() ?? []) {
      expect([objectId(type, content), content.length]).toEqual([oid, size]);
    }
  });

  test("of empty objects is read", () => {
    const empty = newObject("tree", Buffer.alloc(0));
    const { pack, idx } = writePack([empty]);
    expect(readSmallPack(pack, idx)?.get(empty.oid)?.content.length).toBe(0);
  });

  test("that inflates to much is left to git", () => {
    const { pack, idx } = writePack([newObject("blob", Buffer.alloc(8 << 20))]);
    expect(isSmallPack({ objects: 1, bytes: pack.length })).toBe(true);
    expect(readSmallPack(pack, idx)).toBeNull();
  });

  test("that is broken in any of its bytes is left to git, or read as something", async () => {
    const { pack, idx } = await packedHistory();
    for (let at = 12; at < pack.length - 20; at += 101) {
      const broken = Buffer.from(pack);
      broken[at] = (broken[at] ?? 0) ^ 0x55;
      expect(() => readSmallPack(broken, idx)).not.toThrow();
    }
  });

  test("of many objects, or many bytes, is not small", () => {
    expect([isSmallPack({ objects: 1_001, bytes: 1 }), isSmallPack({ objects: 1, bytes: 1 << 20 })]).toEqual([false, false]);
  });
});
