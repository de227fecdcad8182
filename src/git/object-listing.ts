// Types and sizes of many objects, as git finds them.
import { CoregitError } from "../domain/errors.ts";
import type { ObjectType } from "../domain/object-codec.ts";
import type { Oid } from "../domain/oid.ts";
import type { ObjectInfo } from "./cat-file.ts";
import { type GitCommand, gitFailure, startGit } from "./git-process.ts";

/**
 * Each of `oids` in the repository with its type and inflated size, in their order, many at a time. Whoever stops early ends git.
 * @throws CoregitError `ObjectMissing`, `Internal`; the signal's reason when it is aborted.
 */
export async function* listObjects(
  gitDir: string,
  oids: readonly Oid[],
  limits: { readonly memoryBytes: number; readonly signal: AbortSignal },
): AsyncGenerator<readonly ObjectInfo[]> {
  if (oids.length === 0) return;
  const args = ["cat-file", "--buffer", "--batch-check=%(objecttype) %(objectsize)"];
  const command: GitCommand = { args, gitDir, ...limits };
  await using git = startGit(command);
  git.stdin.end(`${oids.join("\n")}\n`);
  let listed = 0;
  let rest = "";
  for await (const text of git.stdout.setEncoding("latin1")) {
    const lines = `${rest}${text}`.split("\n");
    rest = lines.pop() ?? "";
    const names = oids.slice(listed, listed + lines.length);
    listed += lines.length;
    yield names.map((oid, index) => parseLine(oid, lines[index] ?? ""));
  }
  const exit = await git.exited;
  limits.signal.throwIfAborted();
  if (exit.code !== 0 || listed !== oids.length) throw gitFailure(command, exit);
}

function parseLine(oid: Oid, line: string): ObjectInfo {
  const space = line.indexOf(" ");
  const size = Number(line.slice(space + 1));
  // `<oid> missing`: its file is gone. No object that is judged may pass for one without a type and a size.
  if (Number.isNaN(size)) throw new CoregitError("ObjectMissing", `There is no object ${oid}.`, { details: { oid } });
  return { oid, type: line.slice(0, space) as ObjectType, size };
}
