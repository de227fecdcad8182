// Opens remotes: what a declaration names becomes a transport with its guard, its credential and its limits. Owns what
// outlives a single run: the capabilities of servers, and the list of remotes that are still open.
import { setTimeout as delay } from "node:timers/promises";
import type { Clock, Random } from "../domain/clock.ts";
import type { DirectCredential } from "../domain/credential.ts";
import { CoregitError } from "../domain/errors.ts";
import type { Logger } from "../domain/log.ts";
import type { Provider } from "../domain/sync-spec.ts";
import { noTracer, type Tracer } from "../domain/tracer.ts";
import { type Account, type Accounts, type AccountTarget, tidyAccount, UNKNOWN_ACCOUNT } from "./account.ts";
import type { Wait } from "./api-budget.ts";
import type { RenewToken } from "./api-session.ts";
import { ApiSessions } from "./api-sessions.ts";
import { type Resolve, systemResolve } from "./dispatcher.ts";
import { CapabilityCache } from "./git/capability-cache.ts";
import { HttpClient, type RenewAuthorization } from "./git/client.ts";
import { LocalClient, type RunLocalReceivePack, type RunLocalUploadPack } from "./git/local-client.ts";
import { GitRemote } from "./git/remote.ts";
import { createQuote } from "./git/remote-text.ts";
import type { GitTransport } from "./git/transport.ts";
import { inspectGitHub } from "./github/account.ts";
import { inspectGitLab } from "./gitlab/account.ts";
import { DEFAULT_REMOTE_LIMITS, type RemoteLimits } from "./limits.ts";
import { LocalFolders } from "./local-folders.ts";
import { openCommitApi } from "./open-commit-api.ts";
import { openLookup } from "./open-lookup.ts";
import { openWebhooks } from "./open-webhooks.ts";
import { noProviderMetrics, type ProviderMetrics } from "./provider-metrics.ts";
import type { DeclaredTarget, Remote, Remotes, RemoteTarget } from "./remote.ts";
import { locateApi, locateRemote, parseBaseUrl, type RemoteLocation } from "./remote-url.ts";
import { parseAllowedHosts } from "./ssrf-guard.ts";
import type { Webhooks } from "./webhooks.ts";

export type RemotesOptions = {
  /** COREGIT_ALLOWED_HOSTS. */
  readonly allowedHosts: readonly string[];
  /** COREGIT_FILE_REMOTES; absolute folders. */
  readonly fileRemotes: readonly string[];
  /** Runs native git for `file://` remotes; null: there are none. */
  readonly runLocalUploadPack: RunLocalUploadPack | null;
  /** Runs native git for pushes to `file://` remotes; default: there are none. */
  readonly runLocalReceivePack?: RunLocalReceivePack;
  /** Product and version, for example `coregit/0.1.0`. */
  readonly userAgent: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits?: Partial<RemoteLimits>;
  /** Default: the system's resolver. */
  readonly resolve?: Resolve;
  readonly metrics?: ProviderMetrics;
  /** Default: no traces. */
  readonly tracer?: Tracer;
  /** Spreads what is repeated. Default: Math.random. */
  readonly random?: Random;
  /** Default: the system's timers. */
  readonly wait?: Wait;
};

const systemWait: Wait = (ms, signal) => delay(ms, undefined, { signal });

/**
 * The user name that goes with a bare token. GitHub documents `x-access-token` for installations and takes any name with
 * other tokens; GitLab demands `oauth2` for OAuth tokens and takes any name with others; Gitea and Forgejo ignore it.
 */
const TOKEN_USERNAME: Readonly<Record<Provider, string>> = { github: "x-access-token", gitlab: "oauth2", git: "oauth2" };

type BasicCredential = { readonly username: string; readonly password: string };

function basicCredential(provider: Provider, credential: DirectCredential): BasicCredential {
  const basic = credential.kind === "basic" ? credential : { username: TOKEN_USERNAME[provider], password: credential.token };
  if (basic.username.includes(":")) throw new CoregitError("SecretInvalid", "The user name of the connection holds a colon.");
  return basic;
}

function encode({ username, password }: BasicCredential): string {
  return Buffer.from(`${username}:${password}`, "utf8").toString("base64");
}

/** Tokens of one App follow each other. */
function renewBasic({ username, password }: BasicCredential, renewToken: RenewToken): RenewAuthorization {
  let token = password;
  return async (signal) => {
    const renewed = await renewToken(token, signal);
    if (renewed === null) return null;
    token = renewed;
    return `Basic ${encode({ username, password: token })}`;
  };
}

export type OpenedRemotes = Remotes & Accounts & Webhooks & AsyncDisposable;

/** @throws CoregitError `InvalidSpec` for an allowed host that cannot be read. */
export function openRemotes(options: RemotesOptions): OpenedRemotes {
  return new OpenRemotes(options);
}

class OpenRemotes implements OpenedRemotes {
  readonly #options: RemotesOptions;
  readonly #limits: RemoteLimits;
  readonly #folders: LocalFolders;
  readonly #cache = new CapabilityCache();
  readonly #sessions: ApiSessions;
  readonly #open = new Set<Remote>();
  readonly #webhooks: Webhooks;

  constructor(options: RemotesOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_REMOTE_LIMITS, ...options.limits };
    this.#sessions = new ApiSessions({
      allowedHosts: parseAllowedHosts(options.allowedHosts),
      resolve: options.resolve ?? systemResolve,
      limits: this.#limits,
      userAgent: options.userAgent,
      clock: options.clock,
      random: options.random ?? Math.random,
      wait: options.wait ?? systemWait,
      metrics: options.metrics ?? noProviderMetrics,
      tracer: options.tracer ?? noTracer,
    });
    this.#folders = new LocalFolders(options.fileRemotes);
    this.#webhooks = openWebhooks({
      signIn: (target, signal) => this.signIn(target, signal),
      openSession: (url, target, signal) => this.#sessions.open(url, target, signal),
    });
  }

  identifyRepository: Webhooks["identifyRepository"] = (...asked) => this.#webhooks.identifyRepository(...asked);

  ensureWebhook: Webhooks["ensureWebhook"] = (...asked) => this.#webhooks.ensureWebhook(...asked);

  removeWebhook: Webhooks["removeWebhook"] = (...asked) => this.#webhooks.removeWebhook(...asked);

  open(target: RemoteTarget): Remote {
    const location = locateRemote(target);
    const { credential, provider } = target;
    const basic = credential === null || location.kind === "file" ? null : basicCredential(provider, credential);
    const transport = location.kind === "file" ? this.#openLocal(location) : this.#openHttp(location.url, target, basic);
    const openSession = (url: URL, signal: AbortSignal, workMs?: number) => this.#sessions.open(url, target, signal, workMs);
    const remote: GitRemote = new GitRemote({
      displayUrl: location.url.href,
      transport,
      cache: this.#cache,
      cacheKey: location.url.href,
      limits: this.#limits,
      monotonic: () => this.#options.clock.monotonic(),
      agent: this.#options.userAgent,
      quote: createQuote(basic === null ? [] : [encode(basic), basic.password]),
      logger: this.#options.logger,
      commitApi: openCommitApi(target, location, openSession),
      lookup: openLookup(target, location, openSession),
      onClosed: () => this.#open.delete(remote),
    });
    this.#open.add(remote);
    return remote;
  }

  async signIn(target: DeclaredTarget, signal: AbortSignal): Promise<RemoteTarget> {
    const { credential } = target;
    if (credential?.kind !== "app") return { ...target, credential };
    return { ...target, credential: { kind: "token", token: await this.#sessions.signIn({ ...target, credential }, signal) } };
  }

  async inspectCredential(target: AccountTarget, signal: AbortSignal): Promise<Account> {
    const { provider, baseUrl, credential } = target;
    const url = locateApi(provider, baseUrl) ?? (baseUrl === null ? null : parseBaseUrl(baseUrl));
    if (url === null || url.protocol === "file:") return UNKNOWN_ACCOUNT;
    await using session = this.#sessions.open(url, target, signal);
    if (provider === "github" && credential !== null)
      return tidyAccount(await inspectGitHub(session, credential, this.#sessions.tokens));
    if (credential?.kind === "app") throw new CoregitError("SecretInvalid", "Only GitHub knows GitHub Apps.");
    if (provider === "gitlab" && credential !== null) return tidyAccount(await inspectGitLab(session, credential));
    await session.reach(url);
    return UNKNOWN_ACCOUNT;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#open].map((remote) => remote[Symbol.asyncDispose]()));
  }

  #openHttp(url: URL, target: RemoteTarget, basic: BasicCredential | null): GitTransport {
    if (basic !== null) this.#sessions.refuseClearText(url);
    const renewToken = target.credential?.kind === "token" ? this.#sessions.renewalOf(target.credential.token) : null;
    return new HttpClient({
      // A remote is asked one thing after the other.
      dispatcher: this.#sessions.openDispatcher(target.caPem, 1),
      budget: this.#sessions.budgetOf(url, target),
      provider: target.provider,
      tracer: this.#options.tracer ?? noTracer,
      url,
      authorization: basic === null ? null : `Basic ${encode(basic)}`,
      renewAuthorization: basic === null || renewToken === null ? null : renewBasic(basic, renewToken),
      // Some servers (Azure DevOps among them) only speak git to a client whose name begins with "git/".
      userAgent: `git/2.0 (${this.#options.userAgent})`,
      pushAnswerMs: this.#limits.pushAnswerMs,
      now: () => this.#options.clock.now(),
    });
  }

  #openLocal(location: Extract<RemoteLocation, { kind: "file" }>): GitTransport {
    const { runLocalUploadPack, runLocalReceivePack, fileRemotes } = this.#options;
    if (runLocalUploadPack === null || fileRemotes.length === 0) {
      throw new CoregitError(
        "InvalidSpec",
        `The remote ${location.url.href} is a folder of this machine; these are read in standalone only, below COREGIT_FILE_REMOTES.`,
      );
    }
    this.#folders.checkSpelling(location.path);
    const commands = { uploadPack: runLocalUploadPack, receivePack: runLocalReceivePack ?? null };
    return new LocalClient(location.path, this.#folders, commands);
  }
}
