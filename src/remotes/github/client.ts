// octokit, contained: it speaks through an ApiSession, knows no credential, repeats nothing and delays nothing. The pace of
// requests and what is tried again are decided by its callers.
import type { Octokit } from "octokit";
import type { ApiSession } from "../api-session.ts";
import { gitHubFailure } from "./errors.ts";

/** https://docs.github.com/en/rest/about-the-rest-api/api-versions: supported until March 2028 at least. */
const API_VERSION = "2022-11-28";

const nothing = (): void => undefined;
const silent = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** A client that sends `bearer`: a token of any kind, or the JSON web token of an App; null: nothing, as an anonymous caller. */
export async function openOctokit(session: ApiSession, bearer: string | null): Promise<Octokit> {
  // Loaded when somebody needs it: it takes as long as the rest of the program.
  const { Octokit } = await import("octokit");
  const fetch = session.fetchWith({
    ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
    "x-github-api-version": API_VERSION,
    "accept-encoding": "identity",
  });
  return new Octokit({
    baseUrl: session.url.href.replace(/\/$/, ""),
    log: silent,
    request: { fetch, log: silent },
    throttle: { enabled: false },
    retry: { enabled: false },
  });
}

/** Runs one request of octokit's. @throws CoregitError for whatever octokit throws. */
export async function asking<T>(session: ApiSession, request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    throw gitHubFailure(error, session);
  }
}
