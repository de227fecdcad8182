// Types and sizes of many objects at once.
import type { ObjectType } from "../domain/object-codec.ts";
import type { Oid } from "../domain/oid.ts";
import { type GitCommand, gitFailure, runGit } from "./git-process.ts";

export type ListedObject = { readonly type: ObjectType; readonly size: number };

/** `<oid> commit <20 digits>\n` is the longest line. */
const LINE_BYTES = 40 + 8 + 21;

/** Each of `oids` in the repository with its type and inflated size, in their order. @throws CoregitError `Internal`. */
export async function listObjects(
  gitDir: string,
  oids: readonly Oid[],
  limits: { readonly memoryBytes: number; readonly signal: AbortSignal },
): Promise<ListedObject[]> {
  if (oids.length === 0) return [];
  const args = ["cat-file", "--buffer", "--batch-check=%(objecttype) %(objectsize)"];
  const command: GitCommand = { args, gitDir, ...limits };
  const input = `${oids.join("\n")}\n`;
  const { stdout, exit } = await runGit(command, { input, maxOutputBytes: 1_024 + oids.length * LINE_BYTES });
  const lines = stdout.toString("latin1").split("\n");
  lines.pop();
  if (exit.code !== 0 || lines.length !== oids.length) throw gitFailure(command, exit);
  return lines.map((line) => {
    const space = line.indexOf(" ");
    return { type: line.slice(0, space) as ObjectType, size: Number(line.slice(space + 1)) };
  });
}
