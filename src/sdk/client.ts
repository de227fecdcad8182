// The client: one key, one server, and an area for each kind of thing. Needs nothing but `fetch`, so it runs wherever that is.
import { type BranchesApi, createBranchesApi } from "./branches.ts";
import { createCalls, type FetchFunction } from "./calls.ts";
import { type CommitsApi, createCommitsApi } from "./commits.ts";
import { type ConnectionsApi, createConnectionsApi } from "./connections.ts";
import { requireTimeout } from "./deadline.ts";
import { createDiffsApi, type DiffsApi } from "./diffs.ts";
import { createFilesApi, type FilesApi } from "./files.ts";
import { createRefsApi, type RefsApi } from "./refs.ts";
import { createRepositoriesApi, type RepositoriesApi } from "./repositories.ts";
import { createRunsApi, type RunsApi } from "./runs.ts";
import { createSyncApi, type SyncApi } from "./sync.ts";
import { createSyncsApi, type SyncsApi } from "./syncs.ts";
import { createTagsApi, type TagsApi } from "./tags.ts";
import { createTokensApi, type TokensApi } from "./tokens.ts";

/** Where `coregit standalone` listens. */
const DEFAULT_BASE_URL = "http://127.0.0.1:8080";

export type CoregitClientOptions = {
  /** The master key, or a token. */
  readonly apiKey: string;
  /** Where the server is, without `/v1`; default `http://127.0.0.1:8080`. */
  readonly baseUrl?: string | undefined;
  /** In place of the runtime's own. */
  readonly fetch?: FetchFunction | undefined;
  /** For calls that name none themselves; default: none. */
  readonly timeoutMs?: number | undefined;
};

export interface CoregitClient {
  readonly repos: RepositoriesApi;
  readonly branches: BranchesApi;
  readonly tags: TagsApi;
  readonly refs: RefsApi;
  readonly commits: CommitsApi;
  readonly files: FilesApi;
  readonly diffs: DiffsApi;
  /** The sync of one repository. */
  readonly sync: SyncApi;
  /** The syncs of all repositories. */
  readonly syncs: SyncsApi;
  readonly runs: RunsApi;
  readonly connections: ConnectionsApi;
  readonly tokens: TokensApi;
}

/** @throws TypeError for options that no request can be made with. Sends nothing. */
export function createCoregitClient(options: CoregitClientOptions): CoregitClient {
  const { apiKey, baseUrl = DEFAULT_BASE_URL, fetch = globalThis.fetch, timeoutMs } = options;
  requireKey(apiKey);
  requireTimeout(timeoutMs);
  const calls = createCalls({ apiKey, baseUrl: checkedBaseUrl(baseUrl), fetch, timeoutMs });
  return {
    repos: createRepositoriesApi(calls),
    branches: createBranchesApi(calls),
    tags: createTagsApi(calls),
    refs: createRefsApi(calls),
    commits: createCommitsApi(calls),
    files: createFilesApi(calls),
    diffs: createDiffsApi(calls),
    sync: createSyncApi(calls),
    syncs: createSyncsApi(calls),
    runs: createRunsApi(calls),
    connections: createConnectionsApi(calls),
    tokens: createTokensApi(calls),
  };
}

/** What fetch says of a header that it does not take quotes the header, so a wrong key is refused before. */
function requireKey(apiKey: unknown): void {
  if (typeof apiKey === "string" && /^[\x21-\x7e]+$/.test(apiKey)) return;
  throw new TypeError("apiKey must be a key: characters of ASCII without spaces.");
}

function checkedBaseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isHttp = url?.protocol === "http:" || url?.protocol === "https:";
  if (url === null || !isHttp || url.username + url.password + url.search + url.hash !== "") {
    throw new TypeError("baseUrl must be an http or https URL without credentials, query and fragment.");
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, "");
}
