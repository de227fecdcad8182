// Doubles of GitHub and GitLab as places where commits are made by API, behind one shape for suites that both must pass. Plans are
// made as the engine makes them: from the remote's tree and what is to be changed in it.

import { systemClock } from "../../src/domain/clock.ts";
import { signatureAt } from "../../src/domain/commit.ts";
import { CoregitError } from "../../src/domain/errors.ts";
import { decodeTree, objectId } from "../../src/domain/object-codec.ts";
import { EMPTY_TREE, type Oid, parseOid } from "../../src/domain/oid.ts";
import type { FileEntry, FileMode, TreeReader } from "../../src/domain/tree.ts";
import type { Changes } from "../../src/domain/tree-diff.ts";
import { applyChanges } from "../../src/domain/tree-edit.ts";
import type { CommitApi, CommitPlan } from "../../src/remotes/commit-api.ts";
import { type OpenedRemotes, openRemotes, type RemotesOptions } from "../../src/remotes/open-remotes.ts";
import type { Remote } from "../../src/remotes/remote.ts";
import type { BareRepository } from "./providers/bare-repository.ts";
import type { Faults } from "./providers/faults.ts";
import { startGitHub } from "./providers/github/start.ts";
import { startGitLab } from "./providers/gitlab/start.ts";
import type { RecordedRequest } from "./providers/recording.ts";
import { silentLogger } from "./silent-logger.ts";
import type { SourceFile } from "./source-repository.ts";

export type Provider = "github" | "gitlab";
export type Files = Readonly<Record<string, SourceFile>>;

/** One repository at a provider, and a credential that may write it. */
export type CommitSite = {
  readonly git: BareRepository;
  readonly token: string;
  /** Changes it as somebody else would. */
  commitThere(files: Files): Promise<Oid>;
  head(): Promise<Oid | null>;
  open(options?: { readonly token?: string; readonly limits?: RemotesOptions["limits"] }): OpenedSite;
};

export interface OpenedSite extends AsyncDisposable {
  readonly remote: Remote;
  readonly api: CommitApi;
}

export interface CommitHost extends AsyncDisposable {
  readonly provider: Provider;
  readonly faults: Faults;
  readonly requests: readonly RecordedRequest[];
  clear(): void;
  /** Null: an empty repository. */
  add(files: Files | null): Promise<CommitSite>;
}

export async function startCommitHost(provider: Provider): Promise<CommitHost> {
  return provider === "github" ? startGitHubHost() : startGitLabHost();
}

async function startGitHubHost(): Promise<CommitHost> {
  const double = await startGitHub();
  return hostOf("github", double, async (owner, files) => {
    const repository = await double.addRepository(`${owner}/copy`, files);
    return { remote: repository.fullName, there: repository };
  });
}

async function startGitLabHost(): Promise<CommitHost> {
  const double = await startGitLab();
  return hostOf("gitlab", double, async (owner, files) => {
    const project = await double.addProject(`${owner}/sub/copy`, files);
    return { remote: project.fullPath, there: project };
  });
}

type Double = Awaited<ReturnType<typeof startGitHub> | ReturnType<typeof startGitLab>>;
type AddSite = (owner: string, files: { readonly files?: Files }) => Promise<Pick<SiteParts, "remote" | "there">>;

function hostOf(provider: Provider, double: Double, addSite: AddSite): CommitHost {
  let added = 0;
  return {
    provider,
    faults: double.faults,
    get requests() {
      return double.requests;
    },
    clear: () => double.clear(),
    async add(files) {
      added += 1;
      // An owner each: rate limits are a user's.
      const owner = `owner-${added}`;
      const made = await addSite(owner, files === null ? {} : { files });
      return site({ ...made, provider, baseUrl: double.url, token: double.addToken({ user: owner }) });
    },
    [Symbol.asyncDispose]: () => double[Symbol.asyncDispose](),
  };
}

export type SiteParts = {
  readonly provider: Provider;
  readonly baseUrl: string;
  readonly remote: string;
  readonly token: string;
  readonly there: { readonly git: BareRepository; commit(files: Files): Promise<string>; head(): Promise<string | null> };
};

export function site({ provider, baseUrl, remote, token, there }: SiteParts): CommitSite {
  return {
    git: there.git,
    token,
    commitThere: async (files) => parseOid(await there.commit(files)),
    async head() {
      const oid = await there.head();
      return oid === null ? null : parseOid(oid);
    },
    open(options = {}) {
      const remotes = openTestRemotes(options.limits);
      const credential = { kind: "token", token: options.token ?? token } as const;
      const opened = remotes.open({ provider, baseUrl, remote, credential, caPem: null });
      const api = opened.commitApi;
      if (api === null) throw new Error("The remote has no API for commits.");
      return {
        remote: opened,
        api,
        async [Symbol.asyncDispose]() {
          await opened[Symbol.asyncDispose]();
          await remotes[Symbol.asyncDispose]();
        },
      };
    },
  };
}

function openTestRemotes(limits: RemotesOptions["limits"] = {}): OpenedRemotes {
  return openRemotes({
    allowedHosts: ["127.0.0.0/8"],
    fileRemotes: [],
    runLocalUploadPack: null,
    userAgent: "coregit/test",
    clock: systemClock,
    logger: silentLogger,
    limits: { apiAttemptMs: 20_000, ...limits },
    // Pauses between attempts are no matter of suites that look at what is attempted.
    wait: async () => undefined,
  });
}

const MESSAGE = "Export\n\nCoregit-Sync: sync_1\nCoregit-Origin: default/x\nCoregit-Origin-Commit: 1\n";

/** What is to be changed on top of the head: content, or null for a path that goes. */
export async function planCommit({ git, head }: Pick<CommitSite, "git" | "head">, files: Files): Promise<CommitPlan> {
  const commit = await head();
  const readTree: TreeReader = async (oid) => decodeTree((await git.read(oid))?.content ?? new Uint8Array());
  const tree = commit === null ? EMPTY_TREE : parseOid((await git.resolve(commit, "tree")) ?? "");
  const listed = commit === null ? [] : await git.list(tree, { recursive: true });
  const before = new Map(listed.map(({ path, mode, oid }) => [path, { mode: mode as FileMode, oid: parseOid(oid) }]));
  const contents = new Map<Oid, Uint8Array>();
  const changes: Changes = new Map(
    Object.entries(files)
      .map(([path, file]) => [path, { before: before.get(path) ?? null, after: entryOf(file, contents) }] as const)
      .sort(([left], [right]) => (left < right ? -1 : 1)),
  );
  const { root } = await applyChanges(readTree, tree, changes);
  const contentOf = (oid: Oid): Uint8Array => {
    const content = contents.get(oid);
    if (content === undefined) throw new Error(`No blob ${oid} is needed.`);
    return content;
  };
  return {
    branch: "main",
    expected: commit === null ? null : { commit, tree },
    isEmptyRemote: commit === null,
    changes,
    tree: root,
    message: MESSAGE,
    signature: signatureAt({ name: "Ada", email: "ada@example.com" }, 1_700_000_000_000),
    isAuthorDeclared: true,
    blobs: { size: async (oid) => contentOf(oid).length, read: async (oid) => contentOf(oid) },
  };
}

/** Whether the branch's head is a commit of a plan of here. */
export async function isOurs({ git }: CommitSite): Promise<boolean> {
  return (await git.source.git("log", "-1", "--format=%B", "main")).trim() === MESSAGE.trim();
}

export const treeOf = ({ git }: CommitSite): Promise<Oid> => git.source.tree("main");

/** The failure of `work`; null: it succeeded. */
export async function failureOf(work: Promise<unknown>): Promise<CoregitError | null> {
  try {
    await work;
    return null;
  } catch (error) {
    if (error instanceof CoregitError) return error;
    throw error;
  }
}

function entryOf(file: SourceFile, contents: Map<Oid, Uint8Array>): FileEntry | null {
  if (file === null) return null;
  const { mode, content } =
    typeof file === "string" || file instanceof Uint8Array ? { mode: "100644" as const, content: file } : file;
  if (mode === "160000") return { mode, oid: parseOid(String(content)) };
  const bytes = Buffer.from(content);
  const oid = objectId("blob", bytes);
  contents.set(oid, bytes);
  return { mode, oid };
}
