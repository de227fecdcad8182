// Real bare repositories made by native git (fast-import), to import from. Paths are bytes as latin1, as in the
// domain, so names with any byte that git allows can be made; times are fixed, so oids are the same in each run.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Oid, parseOid } from "../../src/domain/oid.ts";
import { git, tryGit } from "./git.ts";

/** Text or bytes of a plain file, a file with a mode, or null to delete the path. `160000` has the submodule's oid as content. */
export type SourceFile =
  | string
  | Uint8Array
  | { readonly mode: "100644" | "100755" | "120000" | "160000"; readonly content: string | Uint8Array }
  | null;

export type SourceCommit = {
  readonly branch?: string;
  readonly message?: string;
  /** Seconds since the epoch; by default one minute later with each commit. */
  readonly timestamp?: number;
};

export interface SourceRepository extends AsyncDisposable {
  readonly path: string;
  /** `file://` URL. */
  readonly url: string;
  /** Commits changes on top of a branch (default: `main`), which is made when missing. */
  commit(files: Readonly<Record<string, SourceFile>>, options?: SourceCommit): Promise<Oid>;
  /** Makes or moves a branch, whatever it was: as a force-push does. */
  branch(name: string, oid: Oid): Promise<void>;
  deleteBranch(name: string): Promise<void>;
  /** The commit of a branch, default `main`. */
  head(branch?: string): Promise<Oid>;
  /** The root tree of a revision, default `main`. */
  tree(revision?: string): Promise<Oid>;
  /** Runs native git in the repository. */
  git(...args: string[]): Promise<string>;
}

const FIRST_TIMESTAMP = 1_700_000_000;

/** A bare repository in a temporary folder, which disposal removes. Any depth, id or filter may be fetched from it. */
export async function createSourceRepository(options: { readonly branch?: string } = {}): Promise<SourceRepository> {
  const path = await mkdtemp(join(tmpdir(), "coregit-source-"));
  const mainBranch = options.branch ?? "main";
  await git(["init", "--quiet", "--bare", `--initial-branch=${mainBranch}`, path]);
  await git(["-C", path, "config", "uploadpack.allowAnySHA1InWant", "true"]);
  await git(["-C", path, "config", "uploadpack.allowFilter", "true"]);
  const inside = (...args: string[]) => git(["-C", path, ...args]);
  let commits = 0;
  return {
    path,
    url: pathToFileURL(path).href,
    async commit(files, commit = {}) {
      const branch = commit.branch ?? mainBranch;
      const parent = await tryGit(["-C", path, "rev-parse", "--verify", "--quiet", `refs/heads/${branch}^{commit}`]);
      const stream = commitStream(files, {
        ref: `refs/heads/${branch}`,
        parent: parent.code === 0 ? parseOid(parent.stdout.toString().trim()) : null,
        message: commit.message ?? `Commit ${commits + 1}`,
        timestamp: commit.timestamp ?? FIRST_TIMESTAMP + 60 * commits,
      });
      commits += 1;
      await git(["-C", path, "fast-import", "--quiet", "--force", "--date-format=raw"], { input: stream });
      return parseOid(await inside("rev-parse", "--verify", `refs/heads/${branch}`));
    },
    async branch(name, oid) {
      await inside("update-ref", `refs/heads/${name}`, oid);
    },
    async deleteBranch(name) {
      await inside("update-ref", "-d", `refs/heads/${name}`);
    },
    head: async (branch = mainBranch) => parseOid(await inside("rev-parse", "--verify", `refs/heads/${branch}`)),
    tree: async (revision = mainBranch) => parseOid(await inside("rev-parse", "--verify", `${revision}^{tree}`)),
    git: inside,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

/** `count` small, different text files, 100 in a folder, as a change for `commit`. */
export function manyFiles(count: number): Record<string, string> {
  const files: Record<string, string> = {};
  for (let index = 0; index < count; index += 1) {
    const folder = `folder-${String(Math.floor(index / 1000)).padStart(3, "0")}/part-${Math.floor(index / 100) % 10}`;
    files[`${folder}/file-${String(index).padStart(6, "0")}.txt`] =
      `File ${index}\n${`line of file ${index * 7919}\n`.repeat(20)}`;
  }
  return files;
}

type CommitHeader = {
  readonly ref: string;
  readonly parent: Oid | null;
  readonly message: string;
  readonly timestamp: number;
};

function commitStream(files: Readonly<Record<string, SourceFile>>, header: CommitHeader): Buffer {
  const message = Buffer.from(header.message);
  const parts: Buffer[] = [
    Buffer.from(`commit ${header.ref}\ncommitter Ada <ada@example.com> ${header.timestamp} +0000\ndata ${message.length}\n`),
    message,
    Buffer.from(`\n${header.parent === null ? "" : `from ${header.parent}\n`}`),
  ];
  for (const [path, file] of Object.entries(files)) parts.push(...fileChange(path, file));
  return Buffer.concat(parts);
}

function fileChange(path: string, file: SourceFile): Buffer[] {
  if (file === null) return [Buffer.from(`D ${quoted(path)}\n`)];
  const { mode, content } = typeof file === "string" || file instanceof Uint8Array ? { mode: "100644", content: file } : file;
  if (mode === "160000") return [Buffer.from(`M 160000 ${String(content)} ${quoted(path)}\n`)];
  const bytes = Buffer.from(content);
  return [Buffer.from(`M ${mode} inline ${quoted(path)}\ndata ${bytes.length}\n`), bytes, Buffer.from("\n")];
}

/** A path in the C style that fast-import reads, each unusual byte as three octal digits. */
function quoted(path: string): string {
  const escaped = path.replace(/[^ !#-[\]-~]/g, (byte) => `\\${byte.charCodeAt(0).toString(8).padStart(3, "0")}`);
  return `"${escaped}"`;
}
