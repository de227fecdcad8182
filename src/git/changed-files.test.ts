import { describe, expect, test } from "vitest";
import { readChangedFiles } from "./changed-files.ts";

const OLD = "1".repeat(40);
const NEW = "2".repeat(40);
const NONE = "0".repeat(40);

const OUTPUT = [
  `:100644 100755 ${OLD} ${NEW} M`,
  "changed",
  `:000000 100644 ${NONE} ${NEW} A`,
  "1\t2\tlooks like counts",
  `:100644 000000 ${OLD} ${NONE} D`,
  ":100644 looks like a record",
  `:100644 100644 ${OLD} ${NEW} R087`,
  "from here",
  "to there",
  "3\t4\tchanged",
  "1\t0\t1\t2\tlooks like counts",
  "-\t-\t:100644 looks like a record",
  "5\t6\t",
  "from here",
  "to there",
  "",
].join("\0");

async function* inChunks(text: string, size: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text, "latin1");
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

describe("changed files", () => {
  test.each([1, 7, 10_000])("are read from chunks of %i bytes", async (size) => {
    const plain = { oldPath: null, isBinary: false };
    expect(await readChangedFiles(inChunks(OUTPUT, size), 100)).toEqual({
      total: 4,
      files: [
        { ...plain, path: "changed", status: "modified", mode: "100755", oid: NEW, additions: 3, deletions: 4 },
        { ...plain, path: "1\t2\tlooks like counts", status: "added", mode: "100644", oid: NEW, additions: 1, deletions: 0 },
        {
          ...{ path: ":100644 looks like a record", oldPath: null, status: "deleted", mode: null, oid: null },
          ...{ isBinary: true, additions: 0, deletions: 0 },
        },
        {
          ...{ path: "to there", oldPath: "from here", status: "renamed", mode: "100644", oid: NEW },
          ...{ isBinary: false, additions: 5, deletions: 6 },
        },
      ],
    });
  });

  test("that are too many are counted, and the rest of their lines is not waited for", async () => {
    async function* endless(): AsyncGenerator<Buffer> {
      yield Buffer.from(OUTPUT.slice(0, OUTPUT.indexOf("-\t-")), "latin1");
      throw new TypeError("read on");
    }
    const { files, total } = await readChangedFiles(endless(), 2);
    expect([files.map(({ path }) => path), total]).toEqual([["changed", "1\t2\tlooks like counts"], 4]);
  });

  test("are none where there is no output", async () => {
    expect(await readChangedFiles(inChunks("", 1), 10)).toEqual({ files: [], total: 0 });
  });

  test.each([
    [":what is this\0path\0"],
    [`:100644 100644 ${OLD} ${NEW} U\0path\0`],
    [`:100644 100644 ${OLD} ${NEW} M\0path\0three\t4\tpath\0`],
  ])("are not guessed from %j", async (output) => {
    await expect(readChangedFiles(inChunks(output, 100), 10)).rejects.toMatchObject({ code: "Internal" });
  });
});
