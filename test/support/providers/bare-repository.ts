// One real bare repository behind a double: native git reads it and moves its refs, so that ids, modes and races are git's
// own. Objects are written loose, as git would, without a process for each.
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { type ObjectType, objectId } from "../../../src/domain/object-codec.ts";
import { CatFile, type ObjectInfo, type StoredObject } from "../../../src/git/cat-file.ts";
import { git, gitBytes, tryGit } from "../git.ts";
import { createSourceRepository, type SourceRepository } from "../source-repository.ts";

export const ZERO_OID = "0".repeat(40);
export const EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/** `before` and `after` are 40 zeros for a ref that is not there; `before` null: whatever it is. */
export type RefUpdate = { readonly ref: string; readonly before: string | null; readonly after: string };

export type TreeItem = {
  readonly mode: string;
  readonly type: "blob" | "tree" | "commit";
  readonly oid: string;
  /** Null for all but blobs. */
  readonly size: number | null;
  /** Bytes as latin1. */
  readonly path: string;
};

const OID = /^[0-9a-f]{40}$/;

export const isObjectId = (text: unknown): text is string => typeof text === "string" && OID.test(text);

export class BareRepository implements AsyncDisposable {
  readonly source: SourceRepository;
  #reader: CatFile | null = null;

  constructor(source: SourceRepository) {
    this.source = source;
  }

  static async create(defaultBranch: string): Promise<BareRepository> {
    return new BareRepository(await createSourceRepository({ branch: defaultBranch }));
  }

  get path(): string {
    return this.source.path;
  }

  async info(oid: string): Promise<ObjectInfo | null> {
    return isObjectId(oid) ? this.#objects().info(oid) : null;
  }

  async read(oid: string): Promise<StoredObject | null> {
    return isObjectId(oid) ? this.#objects().read(oid) : null;
  }

  async isType(oid: string, type: ObjectType): Promise<boolean> {
    return (await this.info(oid))?.type === type;
  }

  /** In one go, because hundreds of small objects are written for one request. */
  async write(type: ObjectType, content: Uint8Array): Promise<string> {
    const oid = objectId(type, content);
    const folder = join(this.path, "objects", oid.slice(0, 2));
    const path = join(folder, oid.slice(2));
    if (existsSync(path)) return oid;
    mkdirSync(folder, { recursive: true });
    const temporary = `${path}.${randomUUID()}`;
    const header = Buffer.from(`${type} ${content.byteLength}\0`);
    writeFileSync(temporary, deflateSync(Buffer.concat([header, content]), { level: 1 }));
    renameSync(temporary, path);
    return oid;
  }

  /** The commit, tree, … that a revision names, by git's own rules; null: none. */
  async resolve(revision: string, type: "commit" | "tree" | "blob" | "object" = "commit"): Promise<string | null> {
    if ((await this.info(revision))?.type === type) return revision;
    const name = `${revision}^{${type}}`;
    const { code, stdout } = await tryGit(["-C", this.path, "rev-parse", "--verify", "--quiet", "--end-of-options", name]);
    return code === 0 ? stdout.toString().trim() : null;
  }

  /** The object at a path of a commit; null: none. */
  async at(commit: string, path: string): Promise<ObjectInfo | null> {
    const { code, stdout } = await tryGit([
      "-C",
      this.path,
      "rev-parse",
      "--verify",
      "--quiet",
      "--end-of-options",
      `${commit}:${path}`,
    ]);
    return code === 0 ? this.info(stdout.toString().trim()) : null;
  }

  /** Oid of a full ref name; null: not there. Read from git's files, because every request asks for some. */
  async ref(name: string): Promise<string | null> {
    const loose = await readFile(join(this.path, name), "latin1").catch(() => "");
    const oid = loose.slice(0, 40);
    return isObjectId(oid) ? oid : ((await this.#packedRefs()).get(name) ?? null);
  }

  /** Refs below prefixes (whole path components) or with exactly these names; without any, all. */
  async refs(prefixes: readonly string[] = []): Promise<Map<string, string>> {
    const format = "--format=%(objectname) %(refname)";
    const text = await git(["-C", this.path, "for-each-ref", format, "--end-of-options", ...prefixes]);
    return new Map(
      text
        .split("\n")
        .filter(Boolean)
        .map((line) => [line.slice(41), line.slice(0, 40)] as const),
    );
  }

  async isEmpty(): Promise<boolean> {
    if ((await this.#packedRefs()).size > 0) return false;
    const entries = await readdir(join(this.path, "refs"), { recursive: true, withFileTypes: true });
    return !entries.some((entry) => entry.isFile() && !entry.name.endsWith(".lock"));
  }

  /** Moves all refs or none, each only from its `before`. False: one of them was not there, or its lock was held. */
  async updateRefs(updates: readonly RefUpdate[]): Promise<boolean> {
    const lines = updates.map(({ ref, before, after }) => {
      if (after === ZERO_OID) return `delete ${ref}\0${before ?? ""}\0`;
      return `update ${ref}\0${after}\0${before ?? ""}\0`;
    });
    const { code } = await tryGit(["-C", this.path, "update-ref", "--stdin", "-z"], { input: lines.join("") });
    return code === 0;
  }

  async isAncestor(ancestor: string, descendant: string): Promise<boolean> {
    return (await tryGit(["-C", this.path, "merge-base", "--is-ancestor", ancestor, descendant])).code === 0;
  }

  async isValidRefName(ref: string): Promise<boolean> {
    return (await tryGit(["check-ref-format", ref])).code === 0;
  }

  /** Entries of a tree, in git's order; `recursive` gives blobs and links with their whole paths, `withTrees` trees too. */
  async list(tree: string, options: { readonly recursive?: boolean; readonly withTrees?: boolean } = {}): Promise<TreeItem[]> {
    const flags = [...(options.recursive ? ["-r"] : []), ...(options.withTrees ? ["-t"] : [])];
    const bytes = await gitBytes(["-C", this.path, "ls-tree", "-z", "-l", ...flags, "--end-of-options", tree]);
    return bytes
      .toString("latin1")
      .split("\0")
      .filter(Boolean)
      .map((line) => {
        const [, mode = "", type = "", oid = "", size = "", path = ""] = /^(\d+) (\w+) (\w+) +(\S+)\t([\s\S]*)$/.exec(line) ?? [];
        return { mode, type: type as TreeItem["type"], oid, size: size === "-" ? null : Number(size), path };
      });
  }

  /** Writes the tree of these entries, keyed by whole path. Null: git refuses one of them (an unknown object, a bad path). */
  async writeTree(entries: ReadonlyMap<string, { readonly mode: string; readonly oid: string }>): Promise<string | null> {
    const index = join(this.path, `index-${randomUUID()}`);
    const env = { GIT_INDEX_FILE: index };
    const lines = [...entries].map(([path, { mode, oid }]) => Buffer.from(`${mode} ${oid}\t${path}\0`, "latin1"));
    try {
      const input = Buffer.concat(lines);
      const added = await tryGit(["-C", this.path, "update-index", "-z", "--index-info"], { env, input });
      // git leaves out a path that it does not like, and goes on.
      if (added.code !== 0 || /Ignoring path/.test(added.stderr)) return null;
      const { code, stdout } = await tryGit(["-C", this.path, "write-tree"], { env });
      return code === 0 ? stdout.toString().trim() : null;
    } finally {
      await rm(index, { force: true });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader?.[Symbol.asyncDispose]();
    await this.source[Symbol.asyncDispose]();
  }

  async #packedRefs(): Promise<Map<string, string>> {
    const text = await readFile(join(this.path, "packed-refs"), "utf8").catch(() => "");
    const lines = text.split("\n").filter((line) => /^[0-9a-f]{40} /.test(line));
    return new Map(lines.map((line) => [line.slice(41), line.slice(0, 40)] as const));
  }

  #objects(): CatFile {
    if (this.#reader === null || this.#reader.isClosed) this.#reader = new CatFile(this.path);
    return this.#reader;
  }
}
