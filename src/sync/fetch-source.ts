// The second half of gathering: the remote's commit, its tree and blobs, in quarantine. It is the source of an import and
// the target of an export. Asks for what is new since the sync point; when that does not work out (the remote or the
// repository no longer has it), for all of it, once.

import type { SyncPoint } from "../db/sync-points.ts";
import { CoregitError, type ErrorCode } from "../domain/errors.ts";
import { decodeCommit } from "../domain/object-codec.ts";
import type { Oid } from "../domain/oid.ts";
import type { TreeReader } from "../domain/tree.ts";
import type { Remote } from "../remotes/remote.ts";
import type { PreparedPack, Quarantine } from "../repositories/store.ts";
import type { Situation } from "./gather.ts";
import { inSpan, type Run } from "./run.ts";

/** The remote's commit at hand, with everything below its tree readable. */
export interface Source extends AsyncDisposable {
  readonly commit: Oid;
  readonly tree: Oid;
  /** Content of the commit object. */
  readonly commitObject: Uint8Array;
  /** Reads trees of the source and of the repository. */
  readonly readTree: TreeReader;
  /** What must be published so that the tree is stored; durable when it resolves. The same packs each time. */
  seal(): Promise<readonly PreparedPack[]>;
}

/** Failures that a fetch building on the sync point can have and a full one does not. */
const CURED_BY_FULL_FETCH: ReadonlySet<ErrorCode> = new Set(["PackInvalid", "ObjectMissing", "RemoteProtocol"]);

/** What is known of the remote, and where its objects go. */
export type RemoteSide = Pick<Situation, "repository" | "reader" | "remote" | "local">;

/** A commit of the remote whose tree is stored here. */
export type KnownRemote = Pick<SyncPoint, "remoteCommit" | "remoteTree" | "remoteObject">;

/** True when the remote's commit is the sync point's and its tree can be read here. */
export function isAtHand(situation: Situation, base: SyncPoint | null): base is SyncPoint {
  return base !== null && base.remoteCommit === situation.remote;
}

/** The sync point when its tree is still stored. Without it the plan is made as if there had been no run before. */
export async function readableBase(situation: Pick<Situation, "point" | "reader">): Promise<SyncPoint | null> {
  const { point, reader } = situation;
  if (point === null) return null;
  try {
    await reader.readTree(point.remoteTree);
    return point;
  } catch (error) {
    if (error instanceof CoregitError && error.code === "ObjectMissing") return null;
    throw error;
  }
}

/** The source without a fetch: the repository has it. */
export function storedSource({ reader }: Pick<Situation, "reader">, known: KnownRemote): Source {
  return {
    commit: known.remoteCommit,
    tree: known.remoteTree,
    commitObject: known.remoteObject,
    readTree: reader.readTree,
    seal: async () => [],
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** @throws CoregitError those of `Remote.fetchPack` and `Quarantine.receivePack`. */
export async function fetchSource(run: Run, remote: Remote, situation: RemoteSide, base: SyncPoint | null): Promise<Source> {
  const fetch = (from: SyncPoint | null) => inSpan(run, "fetch", () => fetchInto(run, remote, situation, from));
  if (base === null) return fetch(null);
  try {
    return await fetch(base);
  } catch (error) {
    const mayHelp = error instanceof CoregitError && CURED_BY_FULL_FETCH.has(error.code) && !run.signal.aborted;
    if (!mayHelp) throw error;
    run.deps.logger.info({ code: error.code }, "Fetching the whole tree, as building on the sync point failed.");
    return fetch(null);
  }
}

async function fetchInto(run: Run, remote: Remote, situation: RemoteSide, base: SyncPoint | null): Promise<Source> {
  const { signal, deps } = run;
  const shallow = base === null ? undefined : { oid: base.remoteCommit, content: base.remoteObject };
  await using stack = new AsyncDisposableStack();
  const quarantine = stack.use(await deps.store.quarantine(situation.repository, shallow));
  const pack = remote.fetchPack({ oid: situation.remote, have: base?.remoteCommit ?? null }, signal);
  const tips = { shallowTips: [situation.remote], sealEarly: hasNothingToRefuse(run, situation) };
  const received = await inSpan(run, "receive pack", async (span) => {
    const taken = await quarantine.receivePack(pack, tips, signal);
    span.set({ "coregit.received_bytes": taken.bytes });
    return taken;
  });
  run.progress.receivedBytes += received.bytes;
  const commitObject = await readFetchedCommit(quarantine, situation.remote);
  const { tree } = decodeCommit(situation.remote, commitObject);
  let sealed: Promise<PreparedPack[]> | null = null;
  const owned = stack.move();
  return {
    commit: situation.remote,
    tree,
    commitObject,
    readTree: quarantine.readTree,
    seal() {
      sealed ??= quarantine.seal({ source: "import", dropCommits: true }, signal);
      return sealed;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** An import into a branch that is not there yet stops for nothing, so what it needs may become durable meanwhile. */
function hasNothingToRefuse(run: Run, situation: RemoteSide): boolean {
  return situation.local === null && run.request.mode === "Apply";
}

async function readFetchedCommit(quarantine: Quarantine, oid: Oid): Promise<Uint8Array> {
  try {
    return await quarantine.readCommitObject(oid);
  } catch (error) {
    if (!(error instanceof CoregitError && error.code === "ObjectMissing")) throw error;
    throw new CoregitError("PackInvalid", `The remote sent a pack without the commit ${oid} that was asked for.`, {
      cause: error,
    });
  }
}
