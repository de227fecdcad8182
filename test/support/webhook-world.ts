// A server that providers reach, its workers, and a double of one provider with a repository: the same for GitHub and GitLab, so
// that one suite of webhooks runs on both.

import { systemClock } from "../../src/domain/clock.ts";
import type { SyncStatus } from "../../src/domain/declaration.ts";
import type { SyncSpec } from "../../src/domain/sync-spec.ts";
import type { Engine } from "../../src/sync/engine.ts";
import { openWebhookRegistrar, type WebhookRegistrarOptions } from "../../src/sync/webhook-registrar.ts";
import { declareSync } from "./declare-sync.ts";
import { git } from "./git.ts";
import { type HttpWorld, type HttpWorldOptions, openHttpWorld } from "./http-world.ts";
import type { BareRepository } from "./providers/bare-repository.ts";
import type { Faults } from "./providers/faults.ts";
import { startGitHub } from "./providers/github/start.ts";
import { startGitLab } from "./providers/gitlab/start.ts";
import type { RecordedRequest } from "./providers/recording.ts";
import type { WebhookSender } from "./providers/webhook-sender.ts";
import { QUIET_SPEC, TEST_KEYS } from "./quiet-spec.ts";
import { silentLogger } from "./silent-logger.ts";

export type HookAtProvider = { readonly id: number; readonly url: string };
type Files = Readonly<Record<string, string>>;

/** What both doubles have, of one repository `team/site` in them. */
export interface ProviderPlace extends AsyncDisposable {
  readonly provider: "github" | "gitlab";
  readonly url: string;
  readonly token: string;
  readonly faults: Faults;
  readonly sender: WebhookSender;
  readonly requests: readonly RecordedRequest[];
  clear(): void;
  hooks(): readonly HookAtProvider[];
  /** Another webhook of that address, as a person would add it. */
  addHook(url: string): void;
  deleteHooks(): void;
  /** Switches all off, as the provider or a person does. */
  disableHooks(): void;
  /** Gives all other secrets, as a person may. */
  changeSecrets(): void;
  commit(files: Files, branch?: string): Promise<string>;
  setRef(ref: string, oid: string): Promise<void>;
  head(branch?: string): Promise<string | null>;
  /** Of the branch `main`: its root tree, and how many commits it has. */
  tree(): Promise<string>;
  count(): Promise<number>;
  revokeToken(): void;
  /** A token that may read and push and not manage webhooks. */
  weakToken(): string;
  deleteRepository(): Promise<void>;
  rename(path: string): void;
  /** Another repository of that path, to which the token has every right. */
  addRepository(path: string): Promise<{ hooks(): readonly HookAtProvider[]; addHook(url: string): void }>;
  settled(): Promise<void>;
}

export const REMOTE = "team/site";

export async function startGitHubPlace(): Promise<ProviderPlace> {
  const github = await startGitHub();
  const repository = await github.addRepository(REMOTE, { isPrivate: true, files: { "README.md": "hi\n" } });
  const token = github.addToken({ user: "team" });
  const hooksOf = (of: typeof repository) => ({
    hooks: () => github.world.hooks.of(of).map(({ id, config }) => ({ id, url: config.url })),
    addHook: (url: string) =>
      void github.world.hooks.add(of, {
        active: true,
        events: ["push"],
        config: { url, content_type: "json", insecure_ssl: "0", secret: "theirs" },
      }),
  });
  return {
    ...commonOf(github),
    provider: "github",
    token,
    ...hooksOf(repository),
    deleteHooks: () => github.world.hooks.all.clear(),
    disableHooks: () => {
      for (const hook of github.world.hooks.of(repository)) hook.active = false;
    },
    changeSecrets: () => {
      for (const hook of github.world.hooks.of(repository)) hook.config = { ...hook.config, secret: "theirs" };
    },
    commit: (files, branch = "main") => repository.commit(files, { branch, message: "Change" }),
    setRef: (ref, oid) => repository.setRef(ref, oid),
    ...historyOf(repository.git),
    revokeToken: () => github.revokeToken(token),
    weakToken: () =>
      github.addToken({ user: "team", kind: "fine-grained", permissions: { contents: "write", metadata: "read" } }),
    deleteRepository: () => github.deleteRepository(repository),
    rename: (path) => github.moveRepository(repository, path),
    addRepository: async (path) => hooksOf(await github.addRepository(path, { isPrivate: true, files: { "theirs.md": "hi\n" } })),
  };
}

export async function startGitLabPlace(version?: string): Promise<ProviderPlace> {
  const gitlab = await startGitLab(version === undefined ? {} : { version });
  const project = await gitlab.addProject(REMOTE, {
    isPrivate: true,
    files: { "README.md": "hi\n" },
    members: { dev: "developer" },
  });
  const token = gitlab.addToken({ user: "team" });
  const hooksOf = (of: typeof project) => ({
    hooks: () => gitlab.world.hooks.of(of).map(({ id, fields }) => ({ id, url: fields.url })),
    addHook: (url: string) =>
      void gitlab.world.hooks.add(of, {
        url,
        name: null,
        description: null,
        token: "theirs",
        signingToken: null,
        pushEvents: true,
        tagPushEvents: true,
        branchFilter: "",
        branchFilterStrategy: "wildcard",
        enableSslVerification: false,
      }),
  });
  return {
    ...commonOf(gitlab),
    provider: "gitlab",
    token,
    ...hooksOf(project),
    deleteHooks: () => gitlab.world.hooks.all.clear(),
    disableHooks: () => {
      for (const hook of gitlab.world.hooks.of(project)) hook.failures = 40;
    },
    changeSecrets: () => {
      const signingToken = `whsec_${Buffer.alloc(32, "theirs").toString("base64")}`;
      for (const { fields } of gitlab.world.hooks.of(project)) Object.assign(fields, { token: "theirs", signingToken });
    },
    commit: (files, branch = "main") => project.commit(files, { branch, message: "Change" }),
    setRef: (ref, oid) => project.setRef(ref, oid),
    ...historyOf(project.git),
    revokeToken: () => gitlab.revokeToken(token),
    weakToken: () => gitlab.addToken({ user: "dev" }),
    deleteRepository: () => gitlab.deleteProject(project),
    rename: (path) => gitlab.moveProject(project, path),
    addRepository: async (path) => hooksOf(await gitlab.addProject(path, { isPrivate: true, files: { "theirs.md": "hi\n" } })),
  };
}

/** Where every webhook test runs. */
export const WEBHOOK_PLACES: readonly (readonly [string, () => Promise<ProviderPlace>])[] = [
  ["GitHub", startGitHubPlace],
  ["GitLab that signs", () => startGitLabPlace()],
];

function historyOf(repository: BareRepository) {
  return {
    head: (branch = "main") => repository.resolve(`refs/heads/${branch}`),
    tree: async () => (await git(["--git-dir", repository.path, "rev-parse", "main^{tree}"])).trim(),
    count: async () => Number(await git(["--git-dir", repository.path, "rev-list", "--count", "main"])),
  };
}

type Double = Awaited<ReturnType<typeof startGitHub>> | Awaited<ReturnType<typeof startGitLab>>;

function commonOf(double: Double) {
  return {
    url: double.url,
    faults: double.faults,
    sender: double.sender,
    requests: double.requests,
    clear: () => double.clear(),
    settled: () => double.hooksSettled(),
    [Symbol.asyncDispose]: () => double[Symbol.asyncDispose](),
  };
}

export interface WebhookWorld extends AsyncDisposable {
  readonly http: HttpWorld;
  readonly place: ProviderPlace;
  readonly engine: Engine;
  /** The id of the connection, and a change of its credential. */
  connect(token: string): Promise<void>;
  withdrawConnection(): Promise<void>;
  /** Declares the sync `default/site` through that connection. */
  declare(spec?: Partial<SyncSpec>): Promise<SyncStatus>;
  withdraw(): Promise<void>;
  /** Another process that looks after webhooks. */
  startRegistrar(changes?: Partial<WebhookRegistrarOptions>): Promise<AsyncDisposable>;
  /** Where the webhook of a sync delivers to. */
  addressOf(sync: Pick<SyncStatus, "id">): string;
  row(sync: Pick<SyncStatus, "id">): Promise<Record<string, unknown> | null>;
}

const OWNER = { kind: "resource", ref: "uid-site" } as const;

export async function openWebhookWorld(
  start: () => Promise<ProviderPlace>,
  options: HttpWorldOptions = {},
): Promise<WebhookWorld> {
  await using stack = new AsyncDisposableStack();
  const place = stack.use(await start());
  const http = stack.use(await openHttpWorld(options));
  const { world } = http;
  const engine = await world.startEngine(options.logger === undefined ? {} : { logger: options.logger });
  const connect = async (token: string): Promise<void> => {
    await world.declarations.declareConnection({
      owner: OWNER,
      namespace: "default",
      name: "site",
      label: "",
      provider: place.provider,
      baseUrl: place.url,
      caPem: null,
      credential: { kind: "token", token },
      error: null,
    });
  };
  await connect(place.token);
  const owned = stack.move();
  return {
    http,
    place,
    engine,
    connect,
    withdrawConnection: () => world.declarations.withdrawConnection(OWNER, "default", "site"),
    declare: (spec = {}) =>
      declareSync(world.declarations, {
        owner: OWNER,
        namespace: "default",
        name: "site",
        repository: "site",
        connection: "site",
        spec: { ...SPEC, ...spec },
      }),
    withdraw: () => world.declarations.withdrawSync(OWNER, "default", "site"),
    async startRegistrar(changes = {}) {
      const registrar = await openWebhookRegistrar({
        database: world.database,
        keys: TEST_KEYS,
        webhooks: world.remotes,
        publicUrl: http.url,
        clock: systemClock,
        random: Math.random,
        logger: silentLogger,
        ...changes,
      });
      return owned.use(registrar);
    },
    addressOf: ({ id }) => `${http.url}/v1/sync-webhooks/${place.provider}/${id}`,
    async row({ id }) {
      const { rows } = await world.database.query("SELECT * FROM webhooks WHERE sync_id = $1 AND retired_at IS NULL", [id]);
      return rows[0] ?? null;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const SPEC: SyncSpec = { ...QUIET_SPEC, remote: REMOTE, branch: "main" };
