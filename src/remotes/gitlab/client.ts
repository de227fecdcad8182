// gitbeaker, contained: its requests go through an ApiSession, so it knows no credential, repeats nothing and delays nothing. Tokens
// of every kind are sent as Bearer, which GitLab takes for all of them.
import { notTheApi } from "../api-failure.ts";
import type { ApiFetch, ApiSession } from "../api-session.ts";
import { gitLabFailure } from "./errors.ts";

type Resources = typeof import("@gitbeaker/rest");
type ResourceOptions = ConstructorParameters<Resources["Users"]>[0];
type Requester = ReturnType<NonNullable<ResourceOptions["requesterFn"]>>;
type RequestOptions = NonNullable<Parameters<Requester["get"]>[1]>;
type Answered = Awaited<ReturnType<Requester["get"]>>;

export type GitLabClient = {
  readonly users: InstanceType<Resources["Users"]>;
  readonly tokens: InstanceType<Resources["PersonalAccessTokens"]>;
};

/** Its methods reject with CoregitErrors. */
export async function openGitLab(session: ApiSession, token: string): Promise<GitLabClient> {
  // Loaded when somebody needs it: it takes as long as the rest of the program.
  const { Users, PersonalAccessTokens } = await import("@gitbeaker/rest");
  const fetch = session.fetchWith({ authorization: `Bearer ${token}`, "accept-encoding": "identity" });
  const options = {
    host: session.url.href.replace(/\/api\/v4\/?$/, ""),
    // Deadlines are the session's.
    queryTimeout: null,
    requesterFn: () => createRequester(session, fetch),
  };
  return { users: new Users(options), tokens: new PersonalAccessTokens(options) };
}

function createRequester(session: ApiSession, fetch: ApiFetch): Requester {
  const send =
    (method: string) =>
    async (endpoint: string, { searchParams = {}, body }: RequestOptions = {}): Promise<Answered> => {
      const url = new URL(`${session.url.href}/${endpoint}`);
      for (const [name, value] of Object.entries(searchParams)) url.searchParams.set(name, String(value));
      const json = body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
      return readAnswer(session, await fetch(url, { method, ...json }));
    };
  const requester = { get: send("GET"), post: send("POST"), put: send("PUT"), patch: send("PATCH"), delete: send("DELETE") };
  // The body's type is the caller's claim, as it is with gitbeaker's own requester.
  return requester as Requester;
}

async function readAnswer(session: ApiSession, response: Response): Promise<Answered> {
  const { status } = response;
  const headers = Object.fromEntries(response.headers);
  const text = await response.text();
  const body = parseJson(text);
  if (!response.ok) throw gitLabFailure({ status, headers, body }, session);
  if (body === undefined && text !== "") throw notTheApi(session.url.host);
  return { body: body ?? null, headers, status } as Answered;
}

/** `undefined`: it is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
