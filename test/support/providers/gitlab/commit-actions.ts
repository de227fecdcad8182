// GitLab's file actions on a tree in memory, in their order, all or none. The verbs are strict and modes follow Gitaly: new files are
// 100644, an update keeps the mode, `chmod` makes a regular file of whatever it meets.
import type { BareRepository } from "../bare-repository.ts";
import type { CommitAction } from "./commit-request.ts";
import { badRequest } from "./refusals.ts";

export type Files = Map<string, { readonly mode: string; readonly oid: string }>;

const EXISTS = "A file with this name already exists";
const MISSING = "A file with this name doesn't exist";

const bytes = (path: string): string => Buffer.from(path, "utf8").toString("latin1");

function checkPath(path: string): void {
  if (path === "") throw badRequest("You must provide a file path");
  const parts = path.split("/");
  if (parts.includes("..")) throw badRequest("Path cannot include directory traversal");
  if (parts.some((part) => part === "" || part === "." || /^\.git$/i.test(part))) throw badRequest(`invalid path: '${path}'`);
}

/** Only line breaks are forgiven in base64. */
function contentOf({ content = "", encoding }: CommitAction): Buffer {
  if (encoding !== "base64") return Buffer.from(content, "utf8");
  const packed = content.replace(/[\r\n]/g, "");
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(packed) || packed.length % 4 !== 0) throw badRequest("illegal base64 data");
  return Buffer.from(packed, "base64");
}

function foldersOf(path: string): string[] {
  const parts = path.split("/");
  return parts.slice(1).map((_part, index) => parts.slice(0, index + 1).join("/"));
}

export class CommitTree {
  readonly files: Files;
  readonly #git: BareRepository;
  /** How many files are below each folder. */
  readonly #folders = new Map<string, number>();

  constructor(git: BareRepository, files: Files) {
    this.#git = git;
    this.files = files;
    for (const path of files.keys()) this.#count(path, 1);
  }

  /** @throws Refusal 400 */
  async apply(action: CommitAction): Promise<void> {
    checkPath(action.file_path);
    const path = bytes(action.file_path);
    switch (action.action) {
      case "create":
        return this.#create(path, action);
      case "update":
        return this.#update(path, action);
      case "delete":
        if (!this.#remove(path)) throw badRequest(MISSING);
        return;
      case "move":
        return this.#move(path, action);
      case "chmod":
        return this.#chmod(path, action.execute_filemode === true);
    }
  }

  async #create(path: string, action: CommitAction): Promise<void> {
    const current = this.files.get(path);
    // A link to a submodule is replaced without a word.
    if (current !== undefined && current.mode !== "160000") throw badRequest(EXISTS);
    this.#clearWay(path);
    this.#put(path, { mode: "100644", oid: await this.#git.write("blob", contentOf(action)) });
  }

  async #update(path: string, action: CommitAction): Promise<void> {
    const current = this.files.get(path);
    if (current === undefined) throw badRequest(MISSING);
    const mode = current.mode === "160000" ? "100644" : current.mode;
    this.files.set(path, { mode, oid: await this.#git.write("blob", contentOf(action)) });
  }

  async #move(path: string, action: CommitAction): Promise<void> {
    const from = bytes(action.previous_path ?? "");
    checkPath(action.previous_path ?? "");
    const current = this.files.get(from);
    if (current === undefined || current.mode === "160000") throw badRequest(MISSING);
    if (this.files.has(path)) throw badRequest(EXISTS);
    this.#remove(from);
    this.#clearWay(path);
    const oid = action.content === undefined ? current.oid : await this.#git.write("blob", contentOf(action));
    this.#put(path, { mode: current.mode, oid });
  }

  #chmod(path: string, isExecutable: boolean): void {
    const current = this.files.get(path);
    if (current === undefined) throw badRequest(MISSING);
    if (isExecutable) this.files.set(path, { ...current, mode: "100755" });
    else if (current.mode === "100755") this.files.set(path, { ...current, mode: "100644" });
  }

  /** A new file takes the place of a folder; below a file nothing can be. */
  #clearWay(path: string): void {
    if (foldersOf(path).some((folder) => this.files.has(folder))) throw badRequest(EXISTS);
    if (!this.#folders.get(path)) return;
    for (const key of [...this.files.keys()]) if (key.startsWith(`${path}/`)) this.#remove(key);
  }

  #put(path: string, file: { readonly mode: string; readonly oid: string }): void {
    if (!this.files.has(path)) this.#count(path, 1);
    this.files.set(path, file);
  }

  #remove(path: string): boolean {
    const wasThere = this.files.delete(path);
    if (wasThere) this.#count(path, -1);
    return wasThere;
  }

  #count(path: string, change: 1 | -1): void {
    for (const folder of foldersOf(path)) this.#folders.set(folder, (this.#folders.get(folder) ?? 0) + change);
  }
}
