import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CliPorts } from "./ports.ts";
import { runCli } from "./run-cli.ts";

const NOW = Date.parse("2026-01-02T00:00:00Z");
const KEY = "cgk_live_0123456789abcdef";

type Run = { readonly code: number; readonly out: string; readonly err: string };

async function run(line: string, change: Partial<CliPorts> = {}): Promise<Run> {
  let out = "";
  let err = "";
  const started = (role: string) => async () => {
    out += `${role} started\n`;
  };
  const code = await runCli(line.split(" ").filter(Boolean), {
    roles: {
      standalone: started("standalone"),
      operator: started("operator"),
      api: started("api"),
      migrate: async () => ["0001-initial"],
    },
    chores: { fillSecret: async () => ["databaseUrl", "masterKey"], releaseResources: async () => 3 },
    checks: async () => [],
    deepChecks: async function* () {
      yield { name: "default/site", run: async () => "3 packs" };
    },
    output: { print: (text) => (out += text), say: (text) => (err += text), isTty: false },
    environment: {},
    workingDirectory: tmpdir(),
    crdFolder: join(import.meta.dirname, "../../crds"),
    version: "1.2.3",
    now: () => NOW,
    signal: new AbortController().signal,
    ...change,
  });
  return { code, out, err };
}

const COMMANDS = [
  "standalone",
  "operator",
  "api",
  "migrate",
  "get",
  "sync",
  "plan",
  "history",
  "crds",
  "doctor",
  "secret",
  "uninstall",
  "version",
];

describe("help and wrong use", () => {
  test.each(COMMANDS)("%s --help shows an example and ends well", async (command) => {
    const { code, out } = await run(`${command} --help`);
    expect(code).toBe(0);
    expect(out).toMatch(/Examples?:\n {2}\$ .*coregit /);
  });

  test("--help names every command", async () => {
    const { out } = await run("--help");
    for (const command of COMMANDS) expect(out).toContain(`\n  ${command} `);
  });

  test.each([
    ["--bogus", "unknown option '--bogus'"],
    ["get --bogus", "unknown option '--bogus'"],
    ["synk", "Did you mean sync?"],
    ["get cats", "Allowed choices are syncs"],
    ["get -o xml", "Allowed choices are table"],
    ["sync", "missing required argument 'name'"],
    ["history x --limit 900", "from 1 to 100"],
    ["standalone --listen nowhere", "COREGIT_LISTEN must be HOST:PORT"],
    ["standalone --manifests /does/not/exist", "--manifests must be a folder"],
    ["operator", "COREGIT_DATABASE_URL is not set"],
  ])("%s is wrong use", async (line, message) => {
    const { code, err } = await run(line);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });
});

describe("chores in a cluster", () => {
  test("secret says which keys there are, and fails without a database", async () => {
    expect(await run("secret coregit")).toMatchObject({ code: 0, out: "The Secret coregit has databaseUrl, masterKey.\n" });
    const chores = { fillSecret: async () => ["masterKey"], releaseResources: async () => 0 };
    const { code, err } = await run("secret coregit", { chores });
    expect(code).toBe(1);
    expect(err).toContain("has no databaseUrl");
  });

  test("secret refuses a key that is none, without repeating it", async () => {
    const { code, err } = await run("secret coregit", { environment: { COREGIT_MASTER_KEY: "guess" } });
    expect(code).toBe(2);
    expect(err).toContain("COREGIT_MASTER_KEY must be cgk_live_");
    expect(err).not.toContain("guess");
  });

  test("uninstall says how many resources it was", async () => {
    expect((await run("uninstall")).out).toBe("Let go of 3 resources.\n");
    expect((await run("uninstall --delete-resources --namespace a")).out).toBe("Deleted 3 resources.\n");
  });
});

describe("starting roles", () => {
  test("flags win over the environment", async () => {
    let listen: unknown;
    const roles = {
      standalone: async ({ config }: { readonly config: { readonly listen: unknown } }) => {
        listen = config.listen;
      },
    };
    await run("standalone --listen 127.0.0.1:1", {
      environment: { COREGIT_LISTEN: "127.0.0.1:2" },
      roles: roles as unknown as CliPorts["roles"],
    });
    expect(listen).toEqual({ host: "127.0.0.1", port: 1 });
  });

  test("an unknown variable is mentioned and does not stop the start", async () => {
    const { code, out, err } = await run("standalone", { environment: { COREGIT_LISTNE: "x" } });
    expect({ code, out }).toEqual({ code: 0, out: "standalone started\n" });
    expect(err).toContain("did you mean COREGIT_LISTEN?");
  });

  test("migrate says what it applied", async () => {
    const { out } = await run("migrate", { environment: { COREGIT_DATABASE_URL: "postgres://db/x" } });
    expect(out).toBe("applied 0001-initial\n");
  });
});

test("version and crds print", async () => {
  expect((await run("version")).out).toBe("coregit 1.2.3\n");
  expect((await run("crds")).out.match(/^kind: CustomResourceDefinition$/gm)).toHaveLength(3);
});

test("doctor fails when one check does, and says what to do", async () => {
  const checks = async () => [{ name: "database", run: async () => Promise.reject(new Error("It is down; start it.")) }];
  const { code, out } = await run("doctor", { checks, environment: { COREGIT_DATA_DIR: tmpdir() } });
  expect(code).toBe(1);
  expect(out).toContain("ok    settings: complete for standalone\n");
  expect(out).toContain("FAIL  database: It is down; start it.\n");
});

test("doctor --deep checks what is stored once everything else is in order, and fails when something is damaged", async () => {
  const environment = { COREGIT_DATA_DIR: tmpdir() };
  const sound = await run("doctor --deep", { environment });
  expect(sound.out).toContain("ok    default/site: 3 packs\n");
  expect(sound.code).toBe(0);
  const deepChecks = async function* (_config: unknown, repository: string | null) {
    yield { name: `${repository}`, deadlineMs: null, run: async () => Promise.reject(new Error("Damaged packs: pack_1.")) };
  };
  const damaged = await run("doctor --deep team/site", { environment, deepChecks });
  expect(damaged.out).toContain("FAIL  team/site: Damaged packs: pack_1.\n");
  expect(damaged.code).toBe(1);
  const down = [{ name: "database", run: async () => Promise.reject(new Error("It is down.")) }];
  expect((await run("doctor --deep", { environment, checks: async () => down })).out).not.toContain("default/site");
  expect(await run("doctor team/site", { environment })).toMatchObject({ code: 2, err: expect.stringContaining("--deep") });
});

describe("client commands", () => {
  const seen: string[] = [];
  const sync = {
    id: "sync_1",
    namespace: "default",
    name: "website",
    repository: { namespace: "default", slug: "website" },
    ready: "True",
    reason: "Synced",
    message: "Imported\u001b[2J it.",
    direction: "import",
    remote: "octocat/website",
    branch: "main",
    last_synced_sha: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    created_at: "2026-01-01T23:00:00Z",
    last_synced_at: null,
  };
  const run1 = {
    id: "run_1",
    status: "success",
    message: "Imported 15 files",
    remote_sha: sync.last_synced_sha,
    commit_sha: null,
    started_at: "2026-01-01T23:59:00Z",
    completed_at: "2026-01-01T23:59:02.500Z",
  };
  const answers: Readonly<Record<string, readonly [status: number, body: unknown]>> = {
    "GET /v1/syncs": [200, { syncs: [sync] }],
    "GET /v1/syncs?namespace=empty": [200, { syncs: [] }],
    "GET /v1/syncs/default/website": [200, sync],
    "GET /v1/syncs/default/gone": [404, { error: "There is no sync default/gone.", code: "SYNC_NOT_FOUND" }],
    "GET /v1/runs?sync_id=sync_1&limit=20": [200, { runs: [run1], next_cursor: "more" }],
    "GET /v1/repos?limit=100": [200, { repositories: [{ namespace: "a", slug: "one", size_bytes: 2048 }], next_cursor: "2" }],
    "GET /v1/repos?limit=100&cursor=2": [
      200,
      { repositories: [{ namespace: "b", slug: "two", size_bytes: 5 }], next_cursor: null },
    ],
    'POST /v1/repos/default/website/sync {"sync_id":"sync_1"}': [
      200,
      { synced: true, remote_sha: sync.last_synced_sha, commit_sha: "a1c2a1c2a1c2", files_changed: 42, deleted: 3 },
    ],
    'POST /v1/repos/default/website/sync {"sync_id":"sync_1","wait":false}': [202, { run_id: "run_2" }],
    'POST /v1/repos/default/website/sync {"sync_id":"sync_1","dry_run":true}': [
      200,
      { plan: { added: 1, modified: 0, deleted: 1, paths: ["a"], conflicts: ["both.txt"] } },
    ],
    "GET /v1/connections": [409, { error: "No.", code: "DIVERGED", details: { paths: ["x", "y"] } }],
  };
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    const key = `${request.method} ${request.url}${body === "" ? "" : ` ${body}`}`;
    seen.push(`${key} ${request.headers["x-api-key"]}`);
    if (request.url === "/v1/watch/syncs") {
      response.write(`${JSON.stringify({ type: "sync", sync })}\n{"type":"synced"}\n\n`);
      response.end(`${JSON.stringify({ type: "sync", sync: { ...sync, ready: "False", reason: "Conflict" } })}\n`);
      return;
    }
    const [status, answer] = answers[key] ?? [500, { error: `unexpected ${key}`, code: "INTERNAL" }];
    response.writeHead(status).end(JSON.stringify(answer));
  });
  let environment: Record<string, string> = {};
  let folder = "";

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    environment = { COREGIT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, COREGIT_API_KEY: KEY };
    folder = mkdtempSync(join(tmpdir(), "coregit-cli-"));
  });
  afterAll(() => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test("get prints an aligned table", async () => {
    expect((await run("get", { environment })).out).toBe(
      [
        "NAME      READY   STATUS   DIRECTION   REMOTE            BRANCH   SHA        AGE\n",
        "website   True    Synced   import      octocat/website   main     4b825dc6   60m\n",
      ].join(""),
    );
  });

  test("the wide table has more, and nothing that steers a terminal", async () => {
    const { out } = await run("get syncs -o wide", { environment });
    expect(out.split("\n")[0]).toMatch(/^NAMESPACE +NAME .* REPOSITORY +LAST SYNC +MESSAGE$/);
    expect(out).toContain("Imported [2J it.");
  });

  test("a namespace shows when it is not default, and all pages are read", async () => {
    expect((await run("get repositories", { environment })).out).toBe(
      [
        "NAMESPACE   NAME   BRANCH   SHA   SIZE      AGE\n",
        "a           one    -        -     2.0 KiB   -\n",
        "b           two    -        -     5 B       -\n",
      ].join(""),
    );
  });

  test("json and yaml are the answer", async () => {
    expect(JSON.parse((await run("get -o json", { environment })).out)).toEqual({ syncs: [sync] });
    expect((await run("get -o yaml", { environment })).out).toContain("syncs:\n  - id: sync_1\n    namespace: default\n");
  });

  test("an empty list is said, not printed", async () => {
    expect(await run("get -n empty", { environment })).toEqual({ code: 0, out: "", err: "No syncs found.\n" });
  });

  test("--watch prints the list and then each change in its columns", async () => {
    const { out } = await run("get --watch", { environment });
    expect(out.split("\n").map((line) => line.slice(0, 23))).toEqual([
      "NAME      READY   STATU",
      "website   True    Synce",
      "website   False   Confl",
      "",
    ]);
  });

  test("sync says what the run did", async () => {
    expect(await run("sync website", { environment })).toEqual({
      code: 0,
      out: "website synced with its remote at 4b825dc6: 42 changed, 3 deleted, commit a1c2a1c2.\n",
      err: "",
    });
    expect((await run("sync website --no-wait", { environment })).out).toBe("Run run_2 of website has been asked for.\n");
  });

  test("a plan with conflicts ends with 3 and names them", async () => {
    const { code, out, err } = await run("plan website", { environment });
    expect(code).toBe(3);
    expect(out).toBe("Would add 1, change 0 and delete 1.\n  a\n  … and 1 more\n");
    expect(err).toContain("both.txt");
    expect(await run("sync website --plan", { environment })).toEqual({ code, out, err });
  });

  test("history prints runs", async () => {
    expect((await run("history website", { environment })).out).toContain(
      "run_1   success   4b825dc6     -        60s   2.5s   Imported 15 files\n",
    );
  });

  test("what is not there ends with 1, a divergence with 3", async () => {
    expect(await run("sync gone", { environment })).toEqual({
      code: 1,
      out: "",
      err: "coregit: There is no sync default/gone.\n",
    });
    expect(await run("get connections", { environment })).toMatchObject({ code: 3, err: "coregit: No.\n  x\n  y\n" });
  });

  test("a server that is not there is one sentence", async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(closed.address() as AddressInfo).port}`;
    await new Promise((resolve) => closed.close(resolve));
    const { code, err } = await run("get", { environment: { COREGIT_URL: url, COREGIT_API_KEY: KEY } });
    expect(code).toBe(1);
    expect(err).toBe(`coregit: Coregit at ${url} does not answer (ECONNREFUSED); check that it runs.\n`);
  });

  test("without settings the standalone of the data folder is asked, with its own key", async () => {
    const dataDir = join(folder, ".coregit");
    mkdirSync(dataDir);
    expect((await run("get", { workingDirectory: folder })).err).toContain(`No standalone runs on ${dataDir}.`);
    writeFileSync(join(dataDir, "standalone.json"), JSON.stringify({ url: environment.COREGIT_URL, pid: 1 }));
    writeFileSync(join(dataDir, "master-key"), "cgk_live_of_the_data_folder\n");
    expect((await run("get", { workingDirectory: folder })).code).toBe(0);
    expect(seen.at(-1)).toBe("GET /v1/syncs cgk_live_of_the_data_folder");
  });

  test("the data folder's key does not go to another server", async () => {
    const { code, err } = await run("get", {
      workingDirectory: folder,
      environment: { COREGIT_URL: environment.COREGIT_URL ?? "" },
    });
    expect({ code, err }).toEqual({ code: 2, err: "coregit: COREGIT_API_KEY is not set; the server needs an API key.\n" });
  });
});
