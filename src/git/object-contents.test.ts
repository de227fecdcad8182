import fs from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import isomorphicGit from "isomorphic-git";
import { describe, expect, it } from "vitest";
import { type NewObject, newObject } from "../domain/object-codec.ts";
import type { Oid } from "../domain/oid.ts";
import { readContents } from "./object-contents.ts";
import { writePack } from "./pack-writer.ts";

const LIMITS = { memoryBytes: 1 << 30, signal: AbortSignal.timeout(60_000) };

const blob = (content: string | Buffer): NewObject => newObject("blob", Buffer.from(content));

/** A bare repository that holds one pack. */
async function repositoryWith(objects: readonly NewObject[]) {
  const gitDir = await mkdtemp(join(tmpdir(), "coregit-contents-"));
  await isomorphicGit.init({ fs, dir: gitDir, bare: true });
  const { pack, idx } = writePack(objects);
  await mkdir(join(gitDir, "objects/pack"), { recursive: true });
  await writeFile(join(gitDir, "objects/pack/pack-1.pack"), pack);
  await writeFile(join(gitDir, "objects/pack/pack-1.idx"), idx);
  return { gitDir, [Symbol.asyncDispose]: () => rm(gitDir, { recursive: true, force: true }) };
}

async function* inParts(objects: readonly NewObject[], size: number): AsyncGenerator<readonly Oid[]> {
  yield [];
  for (let start = 0; start < objects.length; start += size) yield objects.slice(start, start + size).map(({ oid }) => oid);
}

describe("the contents of many objects", () => {
  it.each([
    ["none", []],
    ["an empty one", [blob("")]],
    ["small ones, more than fit into one piece of output", Array.from({ length: 3_000 }, (_, index) => blob(`file ${index}\n`))],
    [
      "ones that take many pieces, beside small ones",
      [10, 70_000, 0, 1_500_000, 1, 65_535, 65_536].map((size) => blob(Buffer.alloc(size, "x\n"))),
    ],
  ])("are read whole and in the order asked for: %s", async (_, objects) => {
    await using repository = await repositoryWith(objects);
    const read = (await Array.fromAsync(readContents(repository.gitDir, inParts(objects, 700), LIMITS))).flat();
    expect(read.map(({ oid, type, size }) => ({ oid, type, size }))).toEqual(
      objects.map(({ oid, type, content }) => ({ oid, type, size: content.byteLength })),
    );
    expect(read.every(({ content }, index) => content.equals(objects[index]?.content ?? Buffer.from("?")))).toBe(true);
  });

  it("that are not there are named, and nothing stands in for them", async () => {
    const [there, gone] = [blob("there"), blob("gone")];
    await using repository = await repositoryWith([there]);
    const read = Array.fromAsync(readContents(repository.gitDir, inParts([there, gone], 1), LIMITS));
    await expect(read).rejects.toMatchObject({ code: "ObjectMissing", details: { oid: gone.oid } });
  });

  it("fail with what the list of them fails with", async () => {
    await using repository = await repositoryWith([blob("there")]);
    async function* failing(): AsyncGenerator<readonly Oid[]> {
      yield [blob("there").oid];
      throw new RangeError("no more");
    }
    await expect(Array.fromAsync(readContents(repository.gitDir, failing(), LIMITS))).rejects.toThrow("no more");
  });

  it("are no longer asked for when whoever reads them stops", async () => {
    const objects = Array.from({ length: 3_000 }, (_, index) => blob(`${index}`.repeat(100)));
    await using repository = await repositoryWith(objects);
    let hasEnded = false;
    async function* endless(): AsyncGenerator<readonly Oid[]> {
      try {
        for (;;) yield* inParts(objects, 500);
      } finally {
        hasEnded = true;
      }
    }
    for await (const _ of readContents(repository.gitDir, endless(), LIMITS)) break;
    expect(hasEnded).toBe(true);
  });

  it("of a repository that is not there are refused", async () => {
    const read = Array.fromAsync(readContents(join(tmpdir(), "coregit-nothing"), inParts([blob("a")], 1), LIMITS));
    await expect(read).rejects.toMatchObject({ code: "Internal" });
  });
});
