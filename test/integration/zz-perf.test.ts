import { test } from "vitest";
import { createTestDatabase } from "../support/database.ts";
import { createSourceRepository, manyFiles } from "../support/source-repository.ts";
import { addRepository, openTestStore, chunked, commitOf } from "../support/git-store.ts";
import { git, gitBytes } from "../support/git.ts";
import { rm, readFile } from "node:fs/promises";

test("perf", async () => {
  await using db = await createTestDatabase();
  await using source = await createSourceRepository();
  const head = await source.commit(manyFiles(20000));
  await source.git("repack", "-adq");
  for (let i = 0; i < 3; i++) {
    const t0 = performance.now();
    await git(["clone", "-q", "--bare", "--depth=1", source.url, "/tmp/zz-clone"]);
    console.log("git clone", performance.now() - t0);
    await rm("/tmp/zz-clone", { recursive: true });
  }
  const t = performance.now();
  await git(["clone", "-q", "--bare", "--depth=1", source.url, "/tmp/zz-clone"]);
  const packs = (await git(["-C", "/tmp/zz-clone/objects/pack", "ls-files"]).catch(() => ""));
  const { readdirSync } = await import("node:fs");
  const name = readdirSync("/tmp/zz-clone/objects/pack").find((n) => n.endsWith(".pack"));
  const pack = await readFile(`/tmp/zz-clone/objects/pack/${name}`);
  console.log("pack", pack.length);
  const t1 = performance.now();
  await gitBytes(["init", "-q", "--bare", "/tmp/zz-ip"]);
  const t2 = performance.now();
  await gitBytes(["-C", "/tmp/zz-ip", "index-pack", "--stdin"], { input: pack });
  console.log("plain index-pack", performance.now() - t2);
  await rm("/tmp/zz-clone", { recursive: true });
  await rm("/tmp/zz-ip", { recursive: true });
  for (let i = 0; i < 3; i++) {
    const repository = await addRepository(db.database, "r" + i);
    await using s = await openTestStore(db.database);
    const signal = AbortSignal.timeout(60000);
    let t = performance.now();
    const lap = (n: string) => { console.log(n, (performance.now() - t).toFixed(1)); t = performance.now(); };
    const start = performance.now();
    {
      await using q = await s.store.quarantine(repository); lap("open");
      await q.receivePack(chunked(pack, 65536), { shallowTips: [head] }, signal); lap("receive");
      const commit = commitOf(await source.tree()); lap("(tree)");
      q.addObjects([commit]);
      const sealed = await q.seal({ source: "import", dropCommits: true }, signal); lap("seal");
      await s.store.publish({ repositoryId: repository.id, packs: sealed, refs: [{ name: "refs/heads/main", expected: null, next: commit.oid }], actor: "x", reason: "y" }); lap("publish");
    }
    lap("dispose");
    await s.store.view(repository); lap("view");
    console.log("total", performance.now() - start);
  }
});
