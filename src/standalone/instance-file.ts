// `<data-dir>/standalone.json`: how client commands find the running standalone. There while it is ready, and stale after
// a kill -9: readers try the address.
import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

export type Instance = { readonly url: string; readonly pid: number };

/** Writes the file in one step. Disposal removes it. */
export async function announceInstance(dataDir: string, instance: Instance): Promise<AsyncDisposable> {
  const path = join(dataDir, "standalone.json");
  const draft = `${path}.${instance.pid}`;
  await writeFile(draft, `${JSON.stringify(instance)}\n`, { mode: 0o600 });
  await rename(draft, path);
  return { [Symbol.asyncDispose]: () => rm(path, { force: true }) };
}
