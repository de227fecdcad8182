// Two replicas of the program as it is run, on one database and one blob store, each with a cache of its own, behind a load
// balancer that sends every request elsewhere than the one before.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type AlternatingProxy, startAlternatingProxy } from "../support/alternating-proxy.ts";
import { newSecrets, startApiReplica } from "../support/api-program.ts";
import { createTestDatabase } from "../support/database.ts";
import { freePorts } from "../support/free-ports.ts";
import { git } from "../support/git.ts";

/** COREGIT_REPLICA_ROUNDS asks for more of them. */
const ROUNDS = Number(process.env.COREGIT_REPLICA_ROUNDS ?? 15);
const AUTHOR = { name: "Ada", email: "ada@example.com" };

const stack = new AsyncDisposableStack();
const secrets = newSecrets();
const { key } = secrets;
let proxy: AlternatingProxy;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "coregit-replicas-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const { url: databaseUrl } = stack.use(await createTestDatabase());
  const shared = { databaseUrl, sharedDir: folder, ...secrets };
  const [first, second] = await freePorts(3);
  for (const port of [first, second]) {
    const dataDir = join(folder, `replica-${port}`);
    await mkdir(dataDir);
    stack.use(await startApiReplica({ ...shared, dataDir, port }));
  }
  proxy = stack.use(await startAlternatingProxy([first, second].map((port) => `http://127.0.0.1:${port}`)));
});
afterAll(() => stack.disposeAsync());

async function ask(path: string, body: unknown) {
  const headers = { "x-api-key": key, "content-type": "application/json" };
  const response = await fetch(`${proxy.url}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const commit = (slug: string, path: string, content: string, fields: Record<string, unknown> = {}) =>
  ask(`/v1/repos/${slug}/commits`, { branch: "main", message: "API", author: AUTHOR, changes: [{ path, content }], ...fields });

test.each(["0", "2"])(
  "requests in turn clone, commit, push and pull, by protocol version %s",
  async (version) => {
    const slug = `turns-${version}`;
    expect((await ask("/v1/repos", { slug, init: true })).status).toBe(201);
    const work = join(folder, slug);
    const url = `${proxy.url.replace("://", `://any:${key}@`)}/${slug}.git`;
    const run = (...args: string[]) => git(["-c", `protocol.version=${version}`, "-C", work, ...args]);
    await git(["-c", `protocol.version=${version}`, "clone", "--quiet", url, work]);
    for (let round = 0; round < ROUNDS; round += 1) {
      // A branch is pushed while the API commits to another one, and then both are merged.
      await writeFile(join(work, `pushed-${round % 10}`), `${round}\n`);
      await run("add", "--all");
      await run("commit", "--quiet", `--message=Round ${round}`);
      const others = Array.from({ length: 3 }, (_, index) => commit(slug, `api-${index}`, `${round}\n`));
      await run("push", "--quiet", "origin", `HEAD:refs/heads/round-${round}`);
      expect((await Promise.all(others)).map(({ status }) => status)).toEqual([201, 201, 201]);
      await run("pull", "--quiet", "--no-rebase", "--no-edit", "origin", "main");
      await run("push", "--quiet", "origin", "HEAD:main");
    }
    expect(await run("ls-remote", "origin", "refs/heads/main")).toContain(await run("rev-parse", "HEAD"));
    expect(Number(await run("rev-list", "--count", "--no-merges", "HEAD"))).toBe(1 + 4 * ROUNDS);
    const fresh = join(folder, `${slug}-fresh`);
    await git(["clone", "--quiet", url, fresh]);
    await git(["-C", fresh, "fsck", "--full", "--strict"]);
    const [first = 0, second = 0] = proxy.answered;
    expect(Math.abs(first - second)).toBeLessThanOrEqual(1);
  },
  300_000,
);

test("a commit on a stale parent is refused, one on the present head is not, whoever is asked, and a pull sees it", async () => {
  expect((await ask("/v1/repos", { slug: "sequence", init: true })).status).toBe(201);
  const work = join(folder, "sequence");
  await git(["clone", "--quiet", `${proxy.url.replace("://", `://any:${key}@`)}/sequence.git`, work]);
  const run = (...args: string[]) => git(["-C", work, ...args]);
  const stale = await run("rev-parse", "HEAD");
  await writeFile(join(work, "edited.txt"), "edited\n");
  await run("add", "--all");
  await run("commit", "--quiet", "--message=Edit");
  await run("push", "--quiet");
  const head = await run("rev-parse", "HEAD");
  for (let time = 0; time < 2; time += 1) {
    const refused = await commit("sequence", "api.txt", "api\n", { parent_sha: stale });
    expect(refused).toMatchObject({ status: 409, body: { code: "REF_MOVED", head_sha: head } });
  }
  const made = await commit("sequence", "api.txt", "api\n", { parent_sha: head });
  expect(made).toMatchObject({ status: 201, body: { parent_sha: head } });
  for (let time = 0; time < 2; time += 1) {
    await run("pull", "--quiet", "--ff-only");
    expect(await run("rev-parse", "HEAD")).toBe(made.body.sha);
  }
  expect(await run("show", "HEAD:api.txt", "HEAD:edited.txt")).toBe("api\nedited");
});
