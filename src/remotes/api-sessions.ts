// Opens conversations with providers' APIs and with git over HTTP: the guarded dispatcher, the credential's budget, and for a token
// of a GitHub App the way to another one. Owns the budgets and the tokens that were minted; what it opens belongs to the caller.
import { hash } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { Dispatcher } from "undici";
import type { Clock, Random } from "../domain/clock.ts";
import type { AppCredential, Credential } from "../domain/credential.ts";
import { CoregitError } from "../domain/errors.ts";
import type { Provider } from "../domain/sync-spec.ts";
import type { Tracer } from "../domain/tracer.ts";
import { type ApiBudget, MAX_CONCURRENT, type Wait } from "./api-budget.ts";
import { ApiBudgets, type BudgetOwner } from "./api-budgets.ts";
import { ApiSession, type RenewToken } from "./api-session.ts";
import { openDispatcher, type Resolve } from "./dispatcher.ts";
import { InstallationTokens } from "./github/app-token.ts";
import type { RemoteLimits } from "./limits.ts";
import type { ProviderMetrics } from "./provider-metrics.ts";
import { locateApi, siteOrigin } from "./remote-url.ts";
import { type AllowedHosts, isListedHost } from "./ssrf-guard.ts";

export type ApiSessionsOptions = {
  readonly allowedHosts: AllowedHosts;
  readonly resolve: Resolve;
  readonly limits: RemoteLimits;
  readonly userAgent: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly wait: Wait;
  readonly metrics: ProviderMetrics;
  readonly tracer: Tracer;
};

/** A server with the credential for it. */
export type SessionTarget = {
  readonly provider: Provider;
  readonly credential: Credential | null;
  readonly caPem: string | null;
};

type AppTarget = SessionTarget & { readonly credential: AppCredential; readonly baseUrl: string | null };

/** An hour's tokens of as many installations. */
const MAX_MINTED = 4_000;

export class ApiSessions {
  readonly tokens = new InstallationTokens();
  readonly #options: ApiSessionsOptions;
  readonly #budgets: ApiBudgets;
  /** Whom tokens were minted for, by their hashes; those that have ended too, as whoever holds one needs another then. */
  readonly #minted = new LRUCache<string, AppTarget>({ max: MAX_MINTED });

  constructor(options: ApiSessionsOptions) {
    this.#options = options;
    const { clock, wait, metrics } = options;
    this.#budgets = new ApiBudgets({ now: () => clock.now(), wait, metrics });
  }

  /**
   * `workMs`: how long what is asked may take there, beyond what any request may.
   * @throws CoregitError `InvalidSpec` when the credential would go out in clear text, `SecretInvalid`.
   */
  open(url: URL, target: SessionTarget, signal: AbortSignal, workMs = 0): ApiSession {
    const { provider, credential, caPem } = target;
    if (credential !== null) this.refuseClearText(url);
    const { limits, userAgent, clock, random, wait, tracer } = this.#options;
    const dispatcher = this.openDispatcher(caPem, MAX_CONCURRENT);
    return new ApiSession({
      provider,
      url,
      dispatcher,
      budget: this.budgetOf(url, target),
      userAgent,
      attemptMs: limits.apiAttemptMs + workMs,
      uploadBytesPerSecond: limits.apiUploadBytesPerSecond,
      answerBytes: limits.apiAnswerBytes,
      now: () => clock.now(),
      random,
      wait,
      signal,
      tracer,
      renewToken: credential?.kind === "token" ? this.renewalOf(credential.token) : null,
      close: () => dispatcher.destroy(),
    });
  }

  /** Of the credential at this server, be it asked for its API or for git. */
  budgetOf(url: URL, target: Pick<SessionTarget, "provider" | "credential">): ApiBudget {
    return this.#budgets.of(ownerOf(url, target));
  }

  /** A token of the App's installation, remembered or minted now. */
  async signIn(target: AppTarget, signal: AbortSignal): Promise<string> {
    return this.#withApp(target, signal, (session) => this.tokens.get(session, target.credential));
  }

  /** How a token that was minted here is replaced once it is refused; null: it was not. */
  renewalOf(token: string): RenewToken | null {
    const target = this.#minted.get(hashOf(token));
    if (target === undefined) return null;
    return (refused, signal) =>
      this.#withApp(target, signal, (session) => this.tokens.replace(session, target.credential, refused));
  }

  openDispatcher(caPem: string | null, connections: number): Dispatcher {
    const { allowedHosts, resolve, limits } = this.#options;
    const { connectMs, headersMs } = limits;
    return openDispatcher({ allowedHosts, resolve, caPem, connectMs, headersMs, connections });
  }

  /** @throws CoregitError `InvalidSpec`. */
  refuseClearText(url: URL): void {
    if (url.protocol !== "http:" || isListedHost(this.#options.allowedHosts, url.hostname)) return;
    throw new CoregitError(
      "InvalidSpec",
      `A credential is not sent to ${url.host} in clear text; use https, or let an operator list the host in COREGIT_ALLOWED_HOSTS.`,
    );
  }

  async #withApp(target: AppTarget, signal: AbortSignal, ask: (session: ApiSession) => Promise<string>): Promise<string> {
    const url = locateApi(target.provider, target.baseUrl);
    if (target.provider !== "github" || url === null) throw new CoregitError("SecretInvalid", "Only GitHub knows GitHub Apps.");
    await using session = this.open(url, target, signal);
    const token = await ask(session);
    this.#minted.set(hashOf(token), target);
    this.#budgets.share(ownerOf(url, target), token);
    return token;
  }
}

function ownerOf(url: URL, { provider, credential }: Pick<SessionTarget, "provider" | "credential">): BudgetOwner {
  return { provider, origin: siteOrigin(url), secret: secretOf(credential) };
}

/** What tells one credential from another. A token that stands in for a password is the same as a bare one. */
function secretOf(credential: Credential | null): string | null {
  if (credential === null) return null;
  if (credential.kind === "app") return JSON.stringify([credential.appId, credential.installationId]);
  return credential.kind === "token" ? credential.token : credential.password;
}

function hashOf(token: string): string {
  return hash("sha256", token, "base64url");
}
