// Two git hosts on loopback, each in a process of its own: ours, on a real PostgreSQL, and `git http-backend`. Both ask for
// a password, which costs git a round trip, both check what is pushed (receive.fsckObjects), and both get the same objects.
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { git } from "../test/support/git.ts";
import type { GitHttpServerOptions } from "../test/support/git-http-server.ts";
import { type ApiProcess, startApiProcess } from "./api-process.ts";

/** Whatever the size of a push, its pack is kept as it came: so does ours, and so do servers of large repositories. */
const PEER_CONFIG = { "receive.fsckObjects": "true", "receive.unpackLimit": "1", "receive.autogc": "false" };
const PEER_AUTH = { username: "any", password: "secret" };

export type GitHost = {
  urlOf(slug: string): string;
  /** Makes an empty repository. */
  create(slug: string): Promise<void>;
};

export type GitHosts = AsyncDisposable & {
  readonly api: ApiProcess;
  readonly ours: GitHost;
  readonly peer: GitHost;
  /** For clones. */
  readonly scratch: string;
};

export async function openGitHosts(): Promise<GitHosts> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "coregit-bench-git-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const peerOptions: Partial<GitHttpServerOptions> = { config: PEER_CONFIG, basicAuth: PEER_AUTH };
  const server = fork(join(import.meta.dirname, "serve-git.ts"), [folder, JSON.stringify(peerOptions)]);
  stack.defer(() => void server.kill());
  const peerUrl = String((await once(server, "message"))[0]);
  const api = stack.use(await startApiProcess());
  const owned = stack.move();
  return {
    api,
    ours: {
      urlOf: (slug) => `${withPassword(api.url, api.key)}/${slug}.git`,
      create: (slug) => api.addRepository(slug),
    },
    peer: {
      urlOf: (slug) => `${withPassword(peerUrl, PEER_AUTH.password)}/${slug}.git`,
      create: async (slug) =>
        void (await git(["init", "--quiet", "--bare", "--initial-branch=main", join(folder, `${slug}.git`)])),
    },
    scratch: folder,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function withPassword(url: string, password: string): string {
  return url.replace("://", `://any:${password}@`);
}

/** Pushes a branch; a host's repository must be there. */
export async function pushTo(url: string, path: string, refspec = "main:refs/heads/main"): Promise<void> {
  await git(["-C", path, "push", "--quiet", url, refspec]);
}

export async function cloneFrom(url: string, folder: string): Promise<void> {
  await git(["clone", "--quiet", "--bare", url, folder]);
}

/** Mebibytes that a process has, or had at most since `resetPeak`, in memory. */
export async function readMemoryMb(pid: number, field: "VmRSS" | "VmHWM"): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)?.[1] ?? Number.NaN) / 1024;
}

/** Forgets how much a process once had in memory (proc(5), clear_refs). */
export async function resetPeak(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, "5");
}
