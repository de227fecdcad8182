// What runs on this machine, to see that nothing outlives who started it.
import { readdir, readFile } from "node:fs/promises";

/** Command lines of this machine's processes that name the folder; none where there is no /proc. */
export async function commandsNaming(folder: string): Promise<string[]> {
  const ids = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
  const commands = await Promise.all(ids.map((id) => readFile(`/proc/${id}/cmdline`, "utf8").catch(() => "")));
  return commands.filter((command) => command.includes(folder));
}
