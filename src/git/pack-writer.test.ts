import { hash } from "node:crypto";
import fs from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import isomorphicGit from "isomorphic-git";
import { describe, expect, test } from "vitest";
import { encodeTree, type NewObject, newObject } from "../domain/object-codec.ts";
import { listObjects } from "./object-listing.ts";
import { packWithout, wholePack } from "./pack-file.ts";
import { listOids } from "./pack-index.ts";
import { writePack } from "./pack-writer.ts";

/** A bare repository that holds one pack. */
async function withPack(objects: readonly NewObject[]) {
  const gitdir = await mkdtemp(join(tmpdir(), "coregit-pack-"));
  await isomorphicGit.init({ fs, dir: gitdir, bare: true });
  const written = writePack(objects);
  const files = { pack: join(gitdir, "objects/pack/pack-1.pack"), idx: join(gitdir, "objects/pack/pack-1.idx") };
  await fs.promises.mkdir(join(gitdir, "objects/pack"), { recursive: true });
  await writeFile(files.pack, written.pack);
  await writeFile(files.idx, written.idx);
  return { gitdir, files, written, [Symbol.asyncDispose]: () => rm(gitdir, { recursive: true, force: true }) };
}

const blobs = fc
  .array(fc.uint8Array({ maxLength: 5_000 }), { maxLength: 40 })
  .map((contents) => contents.map((bytes) => newObject("blob", bytes)));

describe("a pack written in process", () => {
  test("has an index that says where each object is, once", () => {
    fc.assert(
      fc.property(blobs, (objects) => {
        const { idx, objectCount } = writePack(objects);
        const oids = [...new Set(objects.map(({ oid }) => oid))].toSorted();
        expect(listOids(idx)).toEqual(oids);
        expect(objectCount).toBe(oids.length);
      }),
    );
  });

  test("is read by an independent implementation of git", async () => {
    await fc.assert(
      fc.asyncProperty(blobs, async (objects) => {
        await using repository = await withPack(objects);
        for (const { oid, content } of objects) {
          const read = await isomorphicGit.readObject({ fs, gitdir: repository.gitdir, oid, format: "content" });
          expect(Buffer.from(read.object as Uint8Array).equals(content)).toBe(true);
        }
      }),
      { numRuns: 10 },
    );
  });

  test("of large objects keeps their sizes", async () => {
    const objects = [15, 16, 2_047, 2_048, 300_000].map((size) => newObject("blob", Buffer.alloc(size, "x")));
    await using repository = await withPack(objects);
    const limits = { memoryBytes: 1 << 30, signal: AbortSignal.timeout(10_000) };
    const oids = objects.map(({ oid }) => oid);
    const listed = (await Array.fromAsync(listObjects(repository.gitdir, oids, limits))).flat();
    expect(listed.map(({ size }) => size)).toEqual([15, 16, 2_047, 2_048, 300_000]);
  });
});

test("an object that is not there is not listed as something", async () => {
  const [there, gone] = ["there", "gone"].map((text) => newObject("blob", Buffer.from(text)));
  await using repository = await withPack(there === undefined ? [] : [there]);
  const oids = [there, gone].flatMap((object) => object?.oid ?? []);
  const limits = { memoryBytes: 1 << 30, signal: AbortSignal.timeout(10_000) };
  const listed = Array.fromAsync(listObjects(repository.gitdir, oids, limits));
  await expect(listed).rejects.toMatchObject({ code: "ObjectMissing", details: { oid: gone?.oid } });
});

describe("a pack from which objects are dropped", () => {
  const kept = ["a", "b", "c"].map((text) => newObject("blob", Buffer.from(text)));
  const dropped = newObject("tree", encodeTree([]));

  test.each([
    ["at its beginning", [dropped, ...kept]],
    ["at its end", [...kept, dropped]],
    ["in its middle", kept.toSpliced(1, 0, dropped)],
  ])("%s holds the others whole", async (_, objects) => {
    await using repository = await withPack(objects);
    const oids = new Set(kept.map(({ oid }) => oid));
    const options = {
      gitDir: repository.gitdir,
      folder: repository.gitdir,
      memoryBytes: 1 << 30,
      signal: AbortSignal.timeout(10_000),
    };
    const from = { ...(await wholePack(repository.files, options.signal)), oids: listOids(repository.written.idx) };
    const cut = await packWithout(new Set([dropped.oid]), from, options);
    expect(listOids(await fs.promises.readFile(cut.files.idx))).toEqual([...oids].toSorted());
    const pack = await fs.promises.readFile(cut.files.pack);
    expect(cut.size).toBe(pack.length);
    expect(cut.sha256.equals(hash("sha256", pack, "buffer"))).toBe(true);
    await writeFile(repository.files.pack, pack);
    await writeFile(repository.files.idx, await fs.promises.readFile(cut.files.idx));
    for (const { oid, content } of kept) {
      const read = await isomorphicGit.readObject({ fs, gitdir: repository.gitdir, oid, format: "content" });
      expect(Buffer.from(read.object as Uint8Array).equals(content)).toBe(true);
    }
  });
});
