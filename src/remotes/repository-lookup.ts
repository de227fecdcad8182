// A provider's list of repositories: a name may go to another repository, a number never does. The port, and what is the same for
// all providers.
import { CoregitError, type ErrorCode } from "../domain/errors.ts";
import type { ApiSession } from "./api-session.ts";

export type FoundRepository = {
  /** The provider's number of it. */
  readonly id: string;
  /** Its name now: `owner/repo`, `group/sub/project`. */
  readonly path: string;
};

/**
 * One request a call, safe to repeat; redirects of renamed repositories are followed. Null: the credential may use git and not the
 * API, so that nothing is known.
 * @throws CoregitError `RemoteNotFound`, `RateLimited`, `RedirectRefused`, `RemoteUnreachable`, `RemoteTooSlow`, `RemoteProtocol`,
 *   `CertificateInvalid`, `AddressRefused`, and the reason of `signal`.
 */
export interface RepositoryLookup {
  /** The name that the remote was opened with. */
  readonly path: string;
  /** Requests made so far by this instance. */
  readonly calls: number;
  /** The repository that has the remote's name now, or that had it when nobody has taken the name since. */
  here(signal: AbortSignal): Promise<FoundRepository | null>;
  byId(id: string, signal: AbortSignal): Promise<FoundRepository | null>;
}

/** Asks one provider. `token` null: anonymously. Null: it does not tell. */
export type FindRepository = (
  session: ApiSession,
  token: string | null,
  repository: { readonly path: string } | { readonly id: string },
) => Promise<FoundRepository | null>;

export type LookupOptions = {
  readonly find: FindRepository;
  /** Name of the remote. */
  readonly project: string;
  readonly token: string | null;
  /** One conversation, which the lookup disposes of. `signal` ends all that it asks. */
  readonly openSession: (signal: AbortSignal) => ApiSession;
};

/** Tokens for git alone, deploy tokens among them, are refused by the API. */
const NOT_TOLD: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["AccessDenied", "AuthenticationFailed"]);

export class ApiLookup implements RepositoryLookup {
  readonly #options: LookupOptions;
  #calls = 0;

  constructor(options: LookupOptions) {
    this.#options = options;
  }

  get path(): string {
    return this.#options.project;
  }

  get calls(): number {
    return this.#calls;
  }

  here(signal: AbortSignal): Promise<FoundRepository | null> {
    return this.#find({ path: this.#options.project }, signal);
  }

  byId(id: string, signal: AbortSignal): Promise<FoundRepository | null> {
    return this.#find({ id }, signal);
  }

  async #find(repository: Parameters<FindRepository>[2], signal: AbortSignal): Promise<FoundRepository | null> {
    const { find, token, openSession } = this.#options;
    await using session = openSession(signal);
    try {
      return await find(session, token, repository);
    } catch (error) {
      if (error instanceof CoregitError && NOT_TOLD.has(error.code)) return null;
      throw error;
    } finally {
      this.#calls += session.calls;
    }
  }
}
