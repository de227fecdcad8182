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
  readonly projects: InstanceType<Resources["Projects"]>;
  readonly branches: InstanceType<Resources["Branches"]>;
  readonly commits: InstanceType<Resources["Commits"]>;
  /** What the site's OAuth server knows of the token, which is no part of the API. */
  readonly readOAuthToken: () => Promise<unknown>;
  readonly hooks: InstanceType<Resources["ProjectHooks"]>;
  /** Has a test delivered, and waits for what comes of it; gitbeaker does not know the request. */
  testHook(project: number, hook: number): Promise<void>;
};

/** `token` null: anonymous. Its methods reject with CoregitErrors. */
export async function openGitLab(session: ApiSession, token: string | null): Promise<GitLabClient> {
  // Loaded when somebody needs it: it takes as long as the rest of the program.
  const { Users, PersonalAccessTokens, Projects, Branches, Commits, ProjectHooks } = await import("@gitbeaker/rest");
  const authorization = token === null ? {} : { authorization: `Bearer ${token}` };
  const fetch = session.fetchWith({ ...authorization, "accept-encoding": "identity" });
  const host = session.url.href.replace(/\/api\/v4\/?$/, "");
  const options = {
    host,
    // Deadlines are the session's.
    queryTimeout: null,
    requesterFn: () => createRequester(session, fetch),
  };
  return {
    users: new Users(options),
    tokens: new PersonalAccessTokens(options),
    projects: new Projects(options),
    branches: new Branches(options),
    commits: new Commits(options),
    readOAuthToken: async () => (await readAnswer(session, await fetch(`${host}/oauth/token/info`))).body,
    // Its addresses begin behind this part.
    hooks: new ProjectHooks({ ...options, requesterFn: () => createRequester(session, fetch, "projects/") }),
    async testHook(project, hook) {
      await createRequester(session, fetch).post(`projects/${project}/hooks/${hook}/test/push_events`);
    },
  };
}

function createRequester(session: ApiSession, fetch: ApiFetch, folder: "" | "projects/" = ""): Requester {
  const send =
    (method: string) =>
    async (endpoint: string, { searchParams = {}, body }: RequestOptions = {}): Promise<Answered> => {
      const url = new URL(`${session.url.href}/${folder}${endpoint}`);
      for (const [name, value] of Object.entries(searchParams)) url.searchParams.set(name, String(value));
      const json =
        body === undefined ? {} : { body: JSON.stringify(underscored(body)), headers: { "content-type": "application/json" } };
      return readAnswer(session, await fetch(url, { method, ...json }));
    };
  const requester = { get: send("GET"), post: send("POST"), put: send("PUT"), patch: send("PATCH"), delete: send("DELETE") };
  // The body's type is the caller's claim, as it is with gitbeaker's own requester.
  return requester as Requester;
}

/** The names of GitLab's fields for gitbeaker's, all the way down. */
function underscored(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(underscored);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).map(([name, field]) => [toUnderscores(name), underscored(field)] as const);
  return Object.fromEntries(fields);
}

function toUnderscores(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
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
