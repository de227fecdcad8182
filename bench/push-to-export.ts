// From `git push` to the head of the remote that the branch is exported to: the program in a process of its own on a durable
// PostgreSQL, git as its client, and another git server.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createSourceRepository } from "../test/support/source-repository.ts";
import { startApiProcess } from "./api-process.ts";
import { latencyRows, until } from "./latencies.ts";
import type { BenchRow } from "./measure.ts";
import { addSync, connectTo, serveApart } from "./served-remote.ts";

const PUSHES = 200;
const LIMITS = { p50: 200, p99: 600 };

export async function benchPushToExport(): Promise<readonly BenchRow[]> {
  await using stack = new AsyncDisposableStack();
  const api = stack.use(await startApiProcess({ role: "standalone", settings: { COREGIT_ALLOWED_HOSTS: "127.0.0.1" } }));
  const remote = stack.use(await createSourceRepository());
  const served = await serveApart(stack, remote);
  const local = stack.use(await createSourceRepository());
  const url = `${api.url.replace("://", `://any:${api.key}@`)}/pushed.git`;
  const sync = await addSync(api, served, { slug: "pushed", connectionId: await connectTo(api, served), direction: "export" });
  const isExported = async (oid: string): Promise<boolean> => {
    const { rows } = await api.database.query("SELECT last_synced_sha AS sha FROM syncs WHERE id = $1", [sync]);
    return rows[0]?.sha === oid;
  };
  const head = () => readFile(join(remote.path, "refs/heads/main"), "utf8").catch(() => "");
  const times: number[] = [];
  // The first one makes the branch, and is not counted.
  // The first one makes the branch, and is not counted.
  for (let index = 0; index <= PUSHES; index += 1) {
    const oid = await local.commit({ "a.txt": `${index}\n` });
    const before = await head();
    const startedMs = performance.now();
    const pushed = local.git("push", "--quiet", url, "main");
    await until(async () => (await head()) !== before);
    times.push(performance.now() - startedMs);
    await pushed;
    await until(() => isExported(oid));
  }
  return latencyRows("push-to-export", `${PUSHES} pushes of 1 changed file`, times.slice(1), LIMITS);
}
