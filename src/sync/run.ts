// One run as the steps pass it on: what was claimed and asked for, what bounds it, and what has become known so far.
import type { SealingKeys } from "../db/credential-seal.ts";
import type { Database } from "../db/database.ts";
import type { RunStart } from "../db/runs.ts";
import type { ClaimedSync } from "../db/sync-leases.ts";
import type { SeenHeads } from "../db/sync-results.ts";
import type { Clock, Random } from "../domain/clock.ts";
import type { Logger } from "../domain/log.ts";
import type { Oid } from "../domain/oid.ts";
import type { RemoteIdentity } from "../domain/remote-identity.ts";
import type { SyncMode } from "../domain/sync-spec.ts";
import type { Span, SpanAttributes, Tracer } from "../domain/tracer.ts";
import type { Remote, Remotes } from "../remotes/remote.ts";
import type { RepositoryStore } from "../repositories/store.ts";

export type RunDependencies = {
  readonly database: Database;
  readonly store: RepositoryStore;
  readonly remotes: Remotes;
  readonly keys: SealingKeys;
  /** Fraction of an interval by which it varies either way. */
  readonly jitter: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly tracer: Tracer;
};

/** Who asked for what. */
export type RunRequest = {
  readonly runId: string;
  /** The branch that a trigger names for both sides; null: as declared. */
  readonly branch: string | null;
  readonly mode: SyncMode;
  /** The triggers that this run answers. */
  readonly triggerIds: readonly string[];
  /**
   * Another branch or mode than the declared ones: the run has a row in history and its branch a sync point of its own,
   * but the sync's status, schedule and failures are those of the declared branch and stay as they are.
   */
  readonly isBeside: boolean;
};

/** What has become known, for the record of a run that fails midway. */
export type RunProgress = {
  branch: string | null;
  remoteSha: Oid | null;
  heads: SeenHeads | null;
  remote: Remote | null;
  /** The remote as it is declared, in a form to compare. */
  declaredRemote: string;
  /** The repository that the sync is tied to at the provider. */
  identity: RemoteIdentity | null;
  /** The remote has been found to be that repository. */
  isIdentified: boolean;
  /** The name under which the repository was found, other than before. */
  movedTo: string | null;
  receivedBytes: number;
  /** The run has a row with status running. */
  hasRow: boolean;
};

export type Run = {
  readonly deps: RunDependencies;
  readonly claim: ClaimedSync;
  readonly request: RunRequest;
  /** Aborted with a CoregitError as the reason: timeout, lost lease, changed declaration, shutdown. */
  readonly signal: AbortSignal;
  /** `Clock.monotonic` at its beginning. */
  readonly startedMs: number;
  readonly progress: RunProgress;
};

export function newProgress(): RunProgress {
  const known = { branch: null, remoteSha: null, heads: null, remote: null };
  const identity = { declaredRemote: "", identity: null, isIdentified: false, movedTo: null };
  return { ...known, ...identity, receivedBytes: 0, hasRow: false };
}

/** The fields that the run's row has from its beginning. */
export function runStart({ claim, request, deps, startedMs }: Run): RunStart {
  return {
    id: request.runId,
    syncId: claim.lease.syncId,
    repositoryId: claim.repositoryId,
    epoch: claim.lease.epoch,
    direction: claim.spec.direction,
    elapsedMs: deps.clock.monotonic() - startedMs,
    traceId: deps.tracer.current()?.traceId ?? null,
  };
}

/** A step of the run as a span of its own. */
export function inSpan<T>(run: Run, name: string, work: (span: Span) => Promise<T>, attributes: SpanAttributes = {}): Promise<T> {
  return run.deps.tracer.span(name, { attributes }, work);
}
