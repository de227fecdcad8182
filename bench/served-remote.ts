// A git repository on a server in a process of its own, as a provider is another machine, and a sync of the program with it, declared
// by the API.
import { fork } from "node:child_process";
import { once } from "node:events";
import { basename, dirname, join } from "node:path";
import type { SourceRepository } from "../test/support/source-repository.ts";
import type { ApiProcess } from "./api-process.ts";

export type ServedRemote = {
  /** What a connection has as its base URL. */
  readonly baseUrl: string;
  /** Path below it. */
  readonly remote: string;
};

export async function serveApart(stack: AsyncDisposableStack, { path }: SourceRepository): Promise<ServedRemote> {
  const server = fork(join(import.meta.dirname, "serve-git.ts"), [dirname(path)]);
  stack.defer(() => void server.kill());
  return { baseUrl: String((await once(server, "message"))[0]), remote: basename(path) };
}

/** The id of a connection to it. */
export async function connectTo(api: ApiProcess, { baseUrl }: ServedRemote): Promise<string> {
  const body = { provider: "git", label: "bench", base_url: baseUrl, username: "any", password: "secret" };
  return String(await created(api, "/v1/connections", body));
}

type Wanted = { readonly slug: string; readonly connectionId: string; readonly direction: "import" | "export" };

/** Makes the repository with an automatic sync of its branch `main`; the sync's id. */
export async function addSync(api: ApiProcess, { remote }: ServedRemote, wanted: Wanted): Promise<string> {
  const { slug, connectionId: connection_id, direction } = wanted;
  await api.addRepository(slug);
  return created(api, `/v1/repos/${slug}/sync/config`, { connection_id, remote, direction, branch: "main", auto_sync: true });
}

async function created(api: ApiProcess, path: string, body: unknown): Promise<string> {
  const answer = await api.post(path, body);
  if (answer.status === 201) return String(answer.body.id);
  throw new Error(`${path} was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
}
