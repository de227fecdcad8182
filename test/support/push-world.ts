// A repository to push to, clones of it, and pushes made by hand.
import { hash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ZERO_OID } from "../../src/domain/oid.ts";
import { encodePacket, FLUSH } from "../../src/domain/pkt-line.ts";
import { expectCleanRepository } from "./fsck.ts";
import { type GitResult, git, gitBytes, tryGit } from "./git.ts";
import { type HttpWorld, MASTER_KEY } from "./http-world.ts";

export interface WorkingCopy extends AsyncDisposable {
  readonly path: string;
  git(...args: string[]): Promise<string>;
  /** Whatever its exit code. */
  try(...args: string[]): Promise<GitResult>;
  /** Commits `files`, which stay if they are not named, and gives the commit. */
  commit(files: Readonly<Record<string, string | Uint8Array>>): Promise<string>;
}

export interface PushTarget extends AsyncDisposable {
  readonly name: string;
  readonly url: string;
  clone(...options: string[]): Promise<WorkingCopy>;
  /** All refs by name, from the database. */
  refs(): Promise<Record<string, string>>;
  /** Sends `body` to receive-pack. */
  post(body: Uint8Array | ReadableStream, headers?: Record<string, string>, signal?: AbortSignal): Promise<Response>;
}

/** A new empty repository. Disposal checks that git finds nothing wrong with it. */
export async function openPushTarget(http: HttpWorld, name: string): Promise<PushTarget> {
  const made = await http.ask("/v1/repos", { method: "POST", body: { slug: name } });
  if (made.status !== 201) throw new Error(`The repository was not made: ${JSON.stringify(made.body)}`);
  const url = http.gitUrl(name);
  return {
    name,
    url,
    clone: (...options) => openWorkingCopy(url, options),
    async refs() {
      return Object.fromEntries(await http.world.store.reader(await http.world.repository(name)).readRefs());
    },
    post: (body, headers = {}, signal = AbortSignal.timeout(60_000)) => {
      const type = { "content-type": "application/x-git-receive-pack-request" };
      const key = { "x-api-key": MASTER_KEY };
      // A streamed body needs `duplex`, which the types of fetch do not know.
      const init = { method: "POST", headers: { ...key, ...type, ...headers }, body, signal, duplex: "half" };
      return fetch(`${http.url}/${name}.git/git-receive-pack`, init as RequestInit);
    },
    [Symbol.asyncDispose]: async () => expectCleanRepository(await http.world.store.view(await http.world.repository(name))),
  };
}

async function openWorkingCopy(url: string, options: readonly string[]): Promise<WorkingCopy> {
  const path = await mkdtemp(join(tmpdir(), "coregit-push-"));
  await git(["-c", "init.defaultBranch=main", "clone", "--quiet", ...options, url, path]);
  const inside = (...args: string[]) => git(["-C", path, ...args]);
  return {
    path,
    git: inside,
    try: (...args) => tryGit(["-C", path, ...args]),
    async commit(files) {
      for (const [file, content] of Object.entries(files)) await writeFile(join(path, file), content);
      await inside("add", "--all");
      await inside("commit", "--quiet", "--message=Change");
      return inside("rev-parse", "HEAD");
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

type Command = { readonly ref: string; readonly old?: string; readonly new: string };

/** The body of a push up to its pack. */
export function pushCommands(commands: readonly Command[], capabilities = "report-status"): Buffer {
  const lines = commands.map(({ ref, old = ZERO_OID, new: next }, index) =>
    encodePacket(Buffer.from(`${old} ${next} ${ref}${index === 0 ? `\0 ${capabilities}` : ""}\n`)),
  );
  return Buffer.concat([...lines, FLUSH]);
}

/** A pack of what `revisions` (lines for `pack-objects --revs`) mean in a repository. */
export function packOf(path: string, revisions: string): Promise<Buffer> {
  return gitBytes(["-C", path, "pack-objects", "--revs", "--stdout", "--quiet"], { input: `${revisions}\n` });
}

/** A pack of exactly these objects. */
export function packOfObjects(path: string, oids: readonly string[]): Promise<Buffer> {
  return gitBytes(["-C", path, "pack-objects", "--stdout", "--quiet"], { input: oids.map((oid) => `${oid}\n`).join("") });
}

/** The bytes with the checksum that they then need. */
export function withChecksum(packWithoutTrailer: Uint8Array): Buffer {
  return Buffer.concat([packWithoutTrailer, hash("sha1", packWithoutTrailer, "buffer")]);
}
