// A rolling restart of the API under requests, in the order in which a cluster does it for the chart's Deployment (one more pod, none
// less): the new pod is ready and an endpoint, the old one is none any more, and only then gets SIGTERM. Clients keep their connections.
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { Agent, type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { newSecrets, startApiReplica } from "../support/api-program.ts";
import { createTestDatabase } from "../support/database.ts";
import { freePorts } from "../support/free-ports.ts";
import { git } from "../support/git.ts";
import type { RunningProgram } from "../support/running-program.ts";
import { startService } from "../support/service.ts";

const PODS = 2;
const CLIENTS = 6;
const AUTHOR = { name: "Ada", email: "ada@example.com" };
const DEADLINE_MS = 180_000;

type Pod = { readonly port: number; readonly program: RunningProgram };

type Answer = { readonly status: number; readonly body: string };

/** The requests that the servers say they are at fault for, with their causes. */
async function failuresIn(folders: readonly string[]): Promise<string> {
  const logs = await Promise.all(folders.map((folder) => readFile(join(folder, "log"), "utf8")));
  return logs.flatMap((log) => log.split("\n").filter((line) => line.includes("for a reason of our own"))).join("\n");
}

type Ask = (path: string, body?: object) => Promise<Answer>;

/** One connection for everything, kept for as long as the server keeps it: it is never idle long enough to be closed as such. */
function openClient(url: string, key: string): Ask & Disposable {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask: Ask = async (path, body) => {
    const headers = { "x-api-key": key, ...(body === undefined ? {} : { "content-type": "application/json" }) };
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    request(`${url}/v1${path}`, { agent, method: body === undefined ? "GET" : "POST", headers }, resolve)
      .on("error", reject)
      .end(body === undefined ? undefined : JSON.stringify(body));
    const answer = await promise;
    return { status: answer.statusCode ?? 0, body: await text(answer) };
  };
  return Object.assign(ask, { [Symbol.dispose]: () => agent.destroy() });
}

/** What is wrong with the answer, null when nothing is. */
async function problemOf(asked: Promise<Answer>, expected: number): Promise<string | null> {
  try {
    const { status, body } = await asked;
    return status === expected ? null : `${status} ${body}`;
  } catch (error) {
    return String(error);
  }
}

/** Commits to a branch of its own and reads what it has committed, without a pause, until it is stopped. */
function startClient(ask: Ask, index: number) {
  const dropped: string[] = [];
  let served = 0;
  let isOver = false;
  const count = (problem: string | null): void => {
    if (problem === null) served += 1;
    else dropped.push(problem);
  };
  const branch = `client-${index}`;
  const work = (async () => {
    for (let round = 0; !isOver; round += 1) {
      const changes = [{ path: "round", content: `${branch} ${round}` }];
      count(await problemOf(ask("/repos/busy/commits", { branch, message: "Round", author: AUTHOR, changes }), 201));
      count(await problemOf(ask(`/repos/busy/raw?path=round&ref=${branch}`), 200));
    }
  })();
  return {
    async stop() {
      isOver = true;
      await work;
      return { served, dropped };
    },
  };
}

test(
  "pods that are replaced one by one drop no request, also of clients that keep their connections, and lose no commit",
  async () => {
    await using stack = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), "coregit-rolling-"));
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    const { url: databaseUrl } = stack.use(await createTestDatabase());
    const secrets = newSecrets();
    const dataDirs: string[] = [];
    const startPod = async (): Promise<Pod> => {
      const [port] = await freePorts(1);
      const dataDir = join(folder, `pod-${port}`);
      dataDirs.push(dataDir);
      await mkdir(dataDir);
      const program = stack.use(await startApiReplica({ databaseUrl, sharedDir: folder, ...secrets, dataDir, port }));
      return { port, program };
    };
    const pods = await Promise.all(Array.from({ length: PODS }, startPod));
    const service = stack.use(await startService(pods.map(({ port }) => port)));
    const newClient = () => stack.use(openClient(service.url, secrets.key));
    const ask = newClient();
    expect((await ask("/repos", { slug: "busy", init: true })).status).toBe(201);
    for (let index = 0; index < CLIENTS; index += 1) {
      expect((await ask("/repos/busy/branches", { name: `client-${index}`, from: "main" })).status).toBe(201);
    }

    const clients = Array.from({ length: CLIENTS }, (_, index) => startClient(newClient(), index));
    for (const old of pods) {
      const fresh = await startPod();
      service.endpoints = [...service.endpoints.filter((port) => port !== old.port), fresh.port];
      old.program.child.kill("SIGTERM");
      await new Promise<void>((resolve) => old.program.child.once("exit", () => resolve()));
      expect(old.program.child.exitCode).toBe(0);
    }
    const ends = await Promise.all(clients.map((client) => client.stop()));
    expect(
      ends.flatMap(({ dropped }) => dropped),
      await failuresIn(dataDirs),
    ).toEqual([]);
    const served = ends.reduce((sum, end) => sum + end.served, 0);
    expect(served).toBeGreaterThan(100);
    const clone = join(folder, "clone");
    await git(["clone", "--quiet", `${service.url.replace("://", `://any:${secrets.key}@`)}/busy.git`, clone]);
    expect(Number(await git(["-C", clone, "rev-list", "--count", "--all"]))).toBe(1 + served / 2);
  },
  DEADLINE_MS,
);
