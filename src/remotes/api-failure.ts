// The failure that a status of a provider's API stands for, where the providers agree. What they say in their own ways, above
// all that a limit is reached, is for the errors.ts of each.
import { CoregitError } from "../domain/errors.ts";
import { createQuote } from "./git/remote-text.ts";

export type ApiRefusal = {
  readonly host: string;
  readonly status: number;
  /** What the provider said, or "". Shown in quotes; it never holds what we sent in headers. */
  readonly said: string;
  /** When the limit is over, epoch milliseconds; null: it is no limit. */
  readonly retryAtMs: number | null;
};

export function apiFailure({ host, status, said, retryAtMs }: ApiRefusal): CoregitError {
  if (retryAtMs !== null) return new CoregitError("RateLimited", `${host} asks to wait (HTTP ${status}).`, { retryAtMs });
  const words = said === "" ? "" : `: ${createQuote([])(said)}`;
  if (status === 401) return new CoregitError("AuthenticationFailed", `${host} refused the credential${words}.`);
  if (status === 403) return new CoregitError("AccessDenied", `${host} denies this to the credential${words}.`);
  if (status === 404) return new CoregitError("RemoteNotFound", `${host} has no such thing, or hides it${words}.`);
  const code = status >= 500 ? "RemoteUnreachable" : "RemoteProtocol";
  return new CoregitError(code, `${host} answered HTTP ${status}${words}.`);
}

/** An answer that is not what the API documents: a page of a proxy, most often. */
export function notTheApi(host: string): CoregitError {
  return new CoregitError("RemoteProtocol", `${host} answered something that is not its API; the base URL may name a web page.`);
}
