// Which folders of this machine `file://` remotes may name: those at or below COREGIT_FILE_REMOTES, after symbolic links
// are resolved, each time anew.
import { readFile, realpath, stat } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { CoregitError } from "../domain/errors.ts";

/** A `.git` file of a linked work tree is one line. */
const MAX_GITFILE_BYTES = 4096;

function isWithin(folder: string, path: string): boolean {
  const below = relative(folder, path);
  return below === "" || (below !== ".." && !below.startsWith(`..${sep}`) && !below.startsWith(sep));
}

function outside(path: string): CoregitError {
  return new CoregitError("InvalidSpec", `The folder ${JSON.stringify(path)} is not below a folder of COREGIT_FILE_REMOTES.`);
}

function notFound(path: string): CoregitError {
  return new CoregitError("RemoteNotFound", `There is no git repository at ${JSON.stringify(path)}.`);
}

async function kindOf(path: string): Promise<"file" | "folder" | null> {
  const found = await stat(path).catch(() => null);
  if (found === null) return null;
  if (found.isDirectory()) return "folder";
  return found.isFile() && found.size <= MAX_GITFILE_BYTES ? "file" : null;
}

export class LocalFolders {
  readonly #folders: readonly string[];

  /** @param folders absolute. */
  constructor(folders: readonly string[]) {
    this.#folders = folders.map((folder) => resolve(folder));
  }

  /** @throws CoregitError `InvalidSpec` when the spelling of `path` already leads elsewhere. */
  checkSpelling(path: string): void {
    if (!this.#folders.some((folder) => isWithin(folder, resolve(path)))) throw outside(path);
  }

  /**
   * The git directory of the bare repository or checkout at `path`.
   * @throws CoregitError `InvalidSpec` when it lies elsewhere, `RemoteNotFound` when there is none.
   */
  async findGitDirectory(path: string): Promise<string> {
    const real = await this.#resolve(path, path);
    const inner = await kindOf(join(real, ".git"));
    if (inner === "folder") return this.#resolve(join(real, ".git"), path);
    if (inner === "file") return this.#followGitFile(join(real, ".git"), path);
    if ((await kindOf(join(real, "HEAD"))) === "file" && (await kindOf(join(real, "objects"))) === "folder") return real;
    throw notFound(path);
  }

  /** `gitdir: <folder>`, as linked work trees and submodules have it. */
  async #followGitFile(file: string, declared: string): Promise<string> {
    const target = /^gitdir: (.+)$/m.exec(await readFile(file, "utf8"))?.[1];
    if (target === undefined) throw notFound(declared);
    return this.#resolve(resolve(dirname(file), target), declared);
  }

  async #resolve(path: string, declared: string): Promise<string> {
    const real = await realpath(path).catch(() => null);
    if (real === null) throw notFound(declared);
    const folders = await Promise.all(this.#folders.map((folder) => realpath(folder).catch(() => null)));
    if (!folders.some((folder) => folder !== null && isWithin(folder, real))) throw outside(declared);
    return real;
  }
}
