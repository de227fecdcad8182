// Opens remotes: what a declaration names becomes a transport with its guard, its credential and its limits. Owns what
// outlives a single run: the capabilities of servers, and the list of remotes that are still open.
import type { Dispatcher } from "undici";
import type { Clock } from "../domain/clock.ts";
import type { DirectCredential } from "../domain/credential.ts";
import { CoregitError } from "../domain/errors.ts";
import type { Logger } from "../domain/log.ts";
import type { Provider } from "../domain/sync-spec.ts";
import { type Account, type Accounts, type AccountTarget, tidyAccount, UNKNOWN_ACCOUNT } from "./account.ts";
import { ApiSession } from "./api-session.ts";
import { openDispatcher, type Resolve, systemResolve } from "./dispatcher.ts";
import { CapabilityCache } from "./git/capability-cache.ts";
import { HttpClient } from "./git/client.ts";
import { LocalClient, type RunLocalReceivePack, type RunLocalUploadPack } from "./git/local-client.ts";
import { GitRemote } from "./git/remote.ts";
import { createQuote } from "./git/remote-text.ts";
import type { GitTransport } from "./git/transport.ts";
import { inspectGitHub } from "./github/account.ts";
import { InstallationTokens } from "./github/app-token.ts";
import { inspectGitLab } from "./gitlab/account.ts";
import { DEFAULT_REMOTE_LIMITS, type RemoteLimits } from "./limits.ts";
import { LocalFolders } from "./local-folders.ts";
import type { DeclaredTarget, Remote, Remotes, RemoteTarget } from "./remote.ts";
import { locateApi, locateRemote, parseBaseUrl, type RemoteLocation } from "./remote-url.ts";
import { type AllowedHosts, isListedHost, parseAllowedHosts } from "./ssrf-guard.ts";

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
};

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

export type OpenedRemotes = Remotes & Accounts & AsyncDisposable;

/** @throws CoregitError `InvalidSpec` for an allowed host that cannot be read. */
export function openRemotes(options: RemotesOptions): OpenedRemotes {
  return new OpenRemotes(options);
}

class OpenRemotes implements OpenedRemotes {
  readonly #options: RemotesOptions;
  readonly #limits: RemoteLimits;
  readonly #allowedHosts: AllowedHosts;
  readonly #folders: LocalFolders;
  readonly #cache = new CapabilityCache();
  readonly #tokens = new InstallationTokens();
  readonly #open = new Set<Remote>();

  constructor(options: RemotesOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_REMOTE_LIMITS, ...options.limits };
    this.#allowedHosts = parseAllowedHosts(options.allowedHosts);
    this.#folders = new LocalFolders(options.fileRemotes);
  }

  open(target: RemoteTarget): Remote {
    const location = locateRemote(target);
    const { credential, provider } = target;
    const basic = credential === null || location.kind === "file" ? null : basicCredential(provider, credential);
    const transport = location.kind === "file" ? this.#openLocal(location) : this.#openHttp(location.url, basic, target.caPem);
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
      onClosed: () => this.#open.delete(remote),
    });
    this.#open.add(remote);
    return remote;
  }

  async signIn(target: DeclaredTarget, signal: AbortSignal): Promise<RemoteTarget> {
    const { credential } = target;
    if (credential?.kind !== "app") return { ...target, credential };
    const url = locateApi(target.provider, target.baseUrl);
    if (target.provider !== "github" || url === null) throw new CoregitError("SecretInvalid", "Only GitHub knows GitHub Apps.");
    await using session = this.#openSession(url, target, signal);
    return { ...target, credential: { kind: "token", token: await this.#tokens.get(session, credential) } };
  }

  async inspectCredential(target: AccountTarget, signal: AbortSignal): Promise<Account> {
    const { provider, baseUrl, credential } = target;
    const url = locateApi(provider, baseUrl) ?? (baseUrl === null ? null : parseBaseUrl(baseUrl));
    if (url === null || url.protocol === "file:") return UNKNOWN_ACCOUNT;
    await using session = this.#openSession(url, target, signal);
    if (provider === "github" && credential !== null) return tidyAccount(await inspectGitHub(session, credential, this.#tokens));
    if (credential?.kind === "app") throw new CoregitError("SecretInvalid", "Only GitHub knows GitHub Apps.");
    if (provider === "gitlab" && credential !== null) return tidyAccount(await inspectGitLab(session, credential));
    await session.reach(url);
    return UNKNOWN_ACCOUNT;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#open].map((remote) => remote[Symbol.asyncDispose]()));
  }

  #openSession(url: URL, { credential, caPem }: Pick<AccountTarget, "credential" | "caPem">, signal: AbortSignal): ApiSession {
    if (credential !== null) this.#refuseClearText(url);
    const { apiAttemptMs: attemptMs, apiAnswerBytes: answerBytes } = this.#limits;
    const { userAgent, clock } = this.#options;
    const now = () => clock.now();
    return new ApiSession({ dispatcher: this.#dispatcher(caPem), url, userAgent, attemptMs, answerBytes, now, signal });
  }

  #dispatcher(caPem: string | null): Dispatcher {
    const { connectMs, headersMs } = this.#limits;
    const resolve = this.#options.resolve ?? systemResolve;
    return openDispatcher({ allowedHosts: this.#allowedHosts, resolve, caPem, connectMs, headersMs });
  }

  #refuseClearText(url: URL): void {
    if (url.protocol !== "http:" || isListedHost(this.#allowedHosts, url.hostname)) return;
    throw new CoregitError(
      "InvalidSpec",
      `A credential is not sent to ${url.host} in clear text; use https, or let an operator list the host in COREGIT_ALLOWED_HOSTS.`,
    );
  }

  #openHttp(url: URL, basic: BasicCredential | null, caPem: string | null): GitTransport {
    if (basic !== null) this.#refuseClearText(url);
    return new HttpClient({
      dispatcher: this.#dispatcher(caPem),
      url,
      authorization: basic === null ? null : `Basic ${encode(basic)}`,
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
