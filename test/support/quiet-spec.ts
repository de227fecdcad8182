// A declared sync as tests begin with it.
import type { SyncSpec } from "../../src/domain/sync-spec.ts";

export const TEST_KEYS = [new Uint8Array(32).fill(7)];

/** A spec that polls never, so that only what a test does makes a sync due. */
export const QUIET_SPEC: SyncSpec = {
  remote: "https://git.example.com/a/b",
  direction: "import",
  branch: null,
  remoteBranch: null,
  autoSync: true,
  intervalMs: 0,
  timeoutMs: 60_000,
  suspend: false,
  onDivergence: "Merge",
  maxDeletions: null,
  mode: "Apply",
  include: [],
  exclude: [],
  path: "",
  remotePath: "",
  commitAuthor: null,
  messageTemplate: null,
  transport: "auto",
};
