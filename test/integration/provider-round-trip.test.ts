// Several thousand files of every kind, imported from one repository of a provider and exported to another, empty one: the same tree
// everywhere, and nothing left to do.
import { describe, expect, it } from "vitest";
import { declareSync } from "../support/declare-sync.ts";
import { stageGitHub, stageGitLab } from "../support/export-stage.ts";
import type { BareRepository } from "../support/providers/bare-repository.ts";
import { QUIET_SPEC } from "../support/quiet-spec.ts";
import { manyFiles } from "../support/source-repository.ts";

const ODD = {
  "bin/run": { mode: "100755", content: "#!/bin/sh\n" },
  latest: { mode: "120000", content: "bin/run" },
  dangling: { mode: "120000", content: "../nowhere" },
  "vendor/lib": { mode: "160000", content: "1".repeat(40) },
  "image.png": Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0, 0xff, 0xfe]),
  "caf\xe9.txt": "not UTF-8\n",
  'odd "name"\t\n.txt': "quoted\n",
  ".gitattributes": "*.txt export-ignore\n* text=auto\n",
  "crlf.txt": "one\r\ntwo\r\n",
  empty: "",
} as const;

const FILES = { ...manyFiles(3_000), ...ODD };

type Source = { readonly remote: string; readonly git: BareRepository };

describe("a repository of GitHub", () => {
  const stage = stageGitHub();
  it("comes through an import and an export as the same tree, and then nothing is written", async () => {
    const { fullName, git } = await stage.double.addRepository("octocat/source", { isPrivate: true, files: FILES });
    await expectRoundTrip(stage, { remote: fullName, git });
  });
});

describe("a repository of GitLab", () => {
  const stage = stageGitLab();
  it("comes through an import and an export as the same tree, and then nothing is written", async () => {
    const { fullPath, git } = await stage.double.addProject("group/source", { files: FILES });
    await expectRoundTrip(stage, { remote: fullPath, git });
  });
});

async function expectRoundTrip(
  stage: ReturnType<typeof stageGitHub> | ReturnType<typeof stageGitLab>,
  source: Source,
): Promise<void> {
  const here = await stage.serve({ files: null });
  const imported = await declareSync(stage.world.declarations, {
    owner: { kind: "resource", ref: "uid-in" },
    namespace: "default",
    name: "in",
    repository: here.name,
    connection: here.name,
    spec: { ...QUIET_SPEC, autoSync: false, branch: "main", remote: source.remote },
  });
  expect(await stage.world.settle(stage.engine, imported)).toMatchObject({ lastError: null });
  const exported = await here.declare();
  expect(exported).toMatchObject({ lastError: null, lastRun: { added: Object.keys(FILES).length } });
  const tree = await source.git.resolve("refs/heads/main", "tree");
  expect(await here.treeHere()).toBe(tree);
  expect(await here.treeThere()).toBe(tree);
  await here.remote.git.source.git("fsck", "--strict", "--connectivity-only");

  stage.double.clear();
  await here.runAgain();
  await stage.world.database.query("UPDATE syncs SET next_run_at = now() WHERE id = $1", [imported.id]);
  await stage.world.settle(stage.engine, imported);
  expect(stage.double.requests.map(({ route }) => route)).toEqual(["git upload-pack", "git upload-pack"]);
  expect((await here.runs()).map(({ status }) => status)).toEqual(["success"]);
}
