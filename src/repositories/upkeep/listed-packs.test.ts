import { expect, test } from "vitest";
import { packsOf } from "./listed-packs.ts";

test("the parts of a pack are one, as old as its newest part, and other keys are left out", () => {
  const blobs = [
    { key: "notes", writtenAtMs: 1 },
    { key: "repo_a/pack_1.idx", writtenAtMs: 10 },
    { key: "repo_a/pack_1.pack", writtenAtMs: 20 },
    { key: "repo_a/pack_1.rev", writtenAtMs: 30 },
    { key: "repo_a/deep/pack_1.idx", writtenAtMs: 30 },
    { key: "repo_b/pack_1.pack", writtenAtMs: 40 },
  ];
  expect(packsOf(blobs)).toEqual([
    { repositoryId: "repo_a", id: "pack_1", writtenAtMs: 20 },
    { repositoryId: "repo_b", id: "pack_1", writtenAtMs: 40 },
  ]);
});
