// The API against requests that its document describes, and against some that it does not: nobody gets a 5xx, and every
// answer is one that the document has. COREGIT_FUZZ_EXAMPLES asks for more requests an operation, COREGIT_FUZZ_SEED for others
// than the same in each run.
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type HttpWorld, MASTER_KEY, openHttpWorld } from "../support/http-world.ts";
import { pythonTools } from "../support/python-tools.ts";
import { giveWebhook } from "../support/signed-deliveries.ts";

const INSTALL_DEADLINE_MS = 12 * 60_000;
const isLong = process.env.COREGIT_FUZZ_EXAMPLES !== undefined;
const EXAMPLES = process.env.COREGIT_FUZZ_EXAMPLES ?? "4";
const SEED = process.env.COREGIT_FUZZ_SEED;
/** As schemathesis.toml names it. */
const SYNC = "sync_fuzz";
const CONFIGURATION = join(import.meta.dirname, "../http-fuzz/schemathesis.toml");

const owned = new AsyncDisposableStack();
let programs: string;
let http: HttpWorld;
let folder: string;

beforeAll(async () => {
  programs = await pythonTools((line) => process.stderr.write(`${line}\n`));
  http = owned.use(await openHttpWorld());
  folder = await mkdtemp(join(tmpdir(), "coregit-fuzz-"));
  owned.defer(() => rm(folder, { recursive: true, force: true }));
  await fill(http);
}, INSTALL_DEADLINE_MS);
afterAll(() => owned.disposeAsync());

/** What the requests can name: see schemathesis.toml. */
async function fill({ ask, world, url }: HttpWorld): Promise<void> {
  const post = async (path: string, body: unknown) =>
    expect((await ask(`/v1/repos${path}`, { method: "POST", body })).status).toBe(201);
  for (const slug of ["fuzz", "empty", "spare"]) await post("", { slug });
  const author = { name: "Grace", email: "grace@example.com" };
  const files = [
    { path: "README.md", content: "# Fuzz\n" },
    { path: "src/deep/file.bin", content: "AP8A", encoding: "base64" },
  ];
  await post("/fuzz/commits", { branch: "main", message: "Begin", author, changes: files });
  await post("/fuzz/branches", { name: "topic" });
  await post("/fuzz/commits", { branch: "topic", message: "Go on", author, changes: [{ path: "more", content: "more\n" }] });
  await post("/fuzz/tags", { name: "v1" });
  // A sync with a webhook that is set up by hand, which no worker ever runs.
  const { database } = world;
  const { id } = await world.declare("https://git.example.com/a/b", { branch: "main" }, "fuzz");
  await database.query("UPDATE syncs SET id = $2 WHERE id = $1", [id, SYNC]);
  await giveWebhook(database, SYNC, "git", `${url}/v1/sync-webhooks/git/${SYNC}`);
}

/** Runs a program of the tools and gives what it printed. @throws with all of it when its exit code is not 0. */
async function runTool(name: string, args: readonly string[]): Promise<string> {
  const env = { ...process.env, COREGIT_API_KEY: MASTER_KEY };
  const options = { cwd: folder, env, maxBuffer: 64 * 1024 * 1024 };
  type Failed = { readonly stdout?: string; readonly stderr?: string };
  const { stdout } = await promisify(execFile)(join(programs, name), args, options).catch((error: Failed) => {
    throw new Error(`${name} says:\n${error.stdout}${error.stderr}`, { cause: error });
  });
  return stdout;
}

test("the document is an OpenAPI 3.1 document", async () => {
  const file = join(folder, "openapi.json");
  await writeFile(file, await (await fetch(`${http.url}/v1/openapi.json`)).text());
  expect(await runTool("openapi-spec-validator", ["--schema", "3.1", file])).toContain("OK");
});

test("no request is answered 5xx or otherwise than documented", async () => {
  const choice = SEED === undefined ? ["--generation-deterministic"] : ["--seed", SEED];
  const limits = ["--max-examples", EXAMPLES, ...choice];
  // Both addresses of a repository lead to the same routes; asked for more, the other ones take part too.
  const what = isLong ? [] : ["--exclude-operation-id-regex", "InNamespace$"];
  const phases = ["--phases", "examples,coverage,fuzzing"];
  const how = ["--request-timeout", "30", "--no-color", "--no-shrink", "--continue-on-failure"];
  const said = await runTool("schemathesis", [
    "--config-file",
    CONFIGURATION,
    "run",
    ...limits,
    ...what,
    ...phases,
    ...how,
    `${http.url}/v1/openapi.json`,
  ]);
  expect(said).toMatch(/\d+ passed|No issues found/);
}, 600_000);
