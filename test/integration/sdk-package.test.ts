// The package as others install it: packed, unpacked below node_modules, used from JavaScript and TypeScript.
import { execFile } from "node:child_process";
import { access, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type HttpWorld, MASTER_KEY, openHttpWorld } from "../support/http-world.ts";

const ROOT = join(import.meta.dirname, "../..");
const run = promisify(execFile);

let folder: string;
/** Where the package lies for a program in `folder`. */
let installed: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "coregit-package-"));
  const source = join(folder, "source");
  await mkdir(source);
  for (const name of ["package.json", "README.md", "LICENSE", "crds", "src"]) {
    await cp(join(ROOT, name), join(source, name), { recursive: true });
  }
  await run(process.execPath, [join(ROOT, "scripts/build.ts"), join(source, "dist")]);
  await run("npm", ["pack", "--ignore-scripts", "--offline", "--pack-destination", folder], { cwd: source });
  const [tarball = ""] = (await readdir(folder)).filter((name) => name.endsWith(".tgz"));
  installed = join(folder, "node_modules/coregit");
  await mkdir(installed, { recursive: true });
  await run("tar", ["-xzf", join(folder, tarball), "-C", installed, "--strip-components=1"]);
  await writeFile(join(folder, "package.json"), JSON.stringify({ name: "consumer", private: true }));
}, 240_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const listed = async () => (await readdir(installed, { recursive: true })).map((path) => path.replaceAll("\\", "/"));

describe("the package", () => {
  test("holds the program, its migrations, the CRDs and the client, and neither sources nor tests", async () => {
    const paths = await listed();
    const migrations = (await readdir(join(ROOT, "src/db/migrations"))).map((name) => `dist/db/migrations/${name}`);
    expect(paths).toEqual(
      expect.arrayContaining(["dist/main.js", "dist/sdk/index.js", "dist/sdk/index.d.ts", "README.md", "LICENSE", ...migrations]),
    );
    expect(paths.filter((path) => /(^|\/)(src|test)\/|\.test\.|(?<!\.d)\.ts$/.test(path))).toEqual([]);
  });

  test("has a program that runs where Node strips no types", async () => {
    await symlink(join(ROOT, "node_modules"), join(installed, "node_modules"));
    const { version, bin } = JSON.parse(await readFile(join(installed, "package.json"), "utf8"));
    const program = join(installed, bin.coregit);
    await access(program, 1);
    expect((await readFile(program, "utf8")).startsWith("#!/usr/bin/env node\n")).toBe(true);
    expect((await run(process.execPath, [program, "version"])).stdout).toContain(version);
    expect((await run(process.execPath, [program, "crds"])).stdout).toContain("kind: CustomResourceDefinition");
  });
});

/** All that a browser, Deno and Node have alike, and the client may use. */
const SHARED_GLOBALS = [
  ...["fetch", "URL", "URLSearchParams", "Headers", "Request", "Response", "AbortController", "AbortSignal"],
  ...["TextDecoder", "ReadableStream", "setTimeout", "clearTimeout", "btoa"],
];

const COMMIT_AND_READ = (slug: string) => `
  const commit = await git.commits.create("${slug}", {
    branch: "main", message: "One", author: { name: "A", email: "a@example.com" },
    changes: [{ path: "bytes.bin", content: Uint8Array.of(0, 255, 128) }],
  });
  const raw = await git.files.raw("${slug}", { path: "bytes.bin" });
  const missing = await git.branches.get("${slug}", "none");`;

describe("the client of the package", () => {
  let http: HttpWorld;
  beforeAll(async () => {
    http = await openHttpWorld();
  });
  afterAll(() => http[Symbol.asyncDispose]());

  /** The JSON that a program prints; OPTIONS in it are those of a client of the server. */
  async function printedBy(program: string, args: readonly string[] = []): Promise<unknown> {
    const file = join(folder, "program.mjs");
    await writeFile(file, program.replace("OPTIONS", JSON.stringify({ apiKey: MASTER_KEY, baseUrl: http.url })));
    return JSON.parse((await run(process.execPath, [...args, file])).stdout);
  }

  test("makes a repository, commits and reads in a plain script", async () => {
    const program = `
      import { createCoregitClient } from "coregit/sdk";
      const git = createCoregitClient(OPTIONS);
      const made = await git.repos.create({ slug: "plain" });
      ${COMMIT_AND_READ("plain")}
      console.log(JSON.stringify([made.status, commit.status, [...raw.data.bytes], missing.error.code]));`;
    expect(await printedBy(program)).toEqual([201, 201, [0, 255, 128], "REF_NOT_FOUND"]);
  });

  test("does the same where nothing is but the language and what browsers, Deno and Node share", async () => {
    const program = `
      import { readFileSync } from "node:fs";
      import { createContext, SourceTextModule } from "node:vm";
      const context = createContext(Object.fromEntries(${JSON.stringify(SHARED_GLOBALS)}.map((name) => [name, globalThis[name]])));
      const modules = new Map();
      const load = (url) => {
        const module = modules.get(url) ?? new SourceTextModule(readFileSync(new URL(url), "utf8"), { context, identifier: url });
        modules.set(url, module);
        return module;
      };
      const entry = load(import.meta.resolve("coregit/sdk"));
      await entry.link((specifier, { identifier }) => load(new URL(specifier, identifier).href));
      await entry.evaluate();
      const git = entry.namespace.createCoregitClient(OPTIONS);
      const made = await git.repos.create({ slug: "bare" }, { timeoutMs: 60_000, signal: new AbortController().signal });
      ${COMMIT_AND_READ("bare")}
      const events = [];
      for await (const { type } of (await git.syncs.watch()).data) if (events.push(type) && type === "synced") break;
      console.log(JSON.stringify([made.status, commit.status, [...raw.data.bytes], missing.error.code, events]));`;
    const printed = await printedBy(program, ["--experimental-vm-modules", "--no-warnings"]);
    expect(printed).toEqual([201, 201, [0, 255, 128], "REF_NOT_FOUND", ["synced"]]);
  });

  test("imports only itself", async () => {
    const files = (await listed()).filter((path) => /^dist\/sdk\/.*\.(js|d\.ts)$/.test(path));
    const foreign: string[] = [];
    let found = 0;
    for (const path of files) {
      const text = await readFile(join(installed, path), "utf8");
      // The compiler writes each import in one line.
      const imports = text.matchAll(/^(?:import|export) .*from ["'](.+)["'];$|^import ["'](.+)["']|\bimport\(["'](.+?)["']/gm);
      const names = [...imports].map(([, from, bare, dynamic]) => from ?? bare ?? dynamic ?? "");
      found += names.length;
      foreign.push(...names.filter((name) => !/^\.\/[\w-]+\.js$/.test(name)).map((name) => `${path}: ${name}`));
    }
    expect(found).toBeGreaterThan(40);
    expect(foreign).toEqual([]);
  });

  test.each([
    ["nodenext", "nodenext", { types: [] }],
    ["esnext", "bundler", { types: [] }],
    ["nodenext", "nodenext", { types: ["node"], lib: ["es2023"], typeRoots: [join(ROOT, "node_modules/@types")] }],
  ])("compiles in a strict program with module %s, resolution %s and %j", async (module, moduleResolution, more) => {
    await writeFile(join(folder, "consumer.mts"), CONSUMER);
    const compilerOptions = {
      strict: true,
      noEmit: true,
      exactOptionalPropertyTypes: true,
      target: "es2022",
      module,
      moduleResolution,
    };
    await writeFile(
      join(folder, "tsconfig.json"),
      JSON.stringify({ compilerOptions: { ...compilerOptions, ...more }, files: ["consumer.mts"] }),
    );
    const compiled = await run(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "-p", folder]).catch(
      (error) => error,
    );
    expect(compiled.stdout).toBe("");
  });
});

/** What the types promise: results narrow, answers follow the arguments, and mistakes do not compile. */
const CONSUMER = `
import { createCoregitClient, paginate, type CoregitApiError, type Repository } from "coregit/sdk";
const git = createCoregitClient({ apiKey: "key", baseUrl: undefined, fetch: globalThis.fetch });
const { data: repository, error } = await git.repos.get("site");
if (error) throw error;
const same: Repository = repository;
const commit = await git.commits.create(same, {
  branch: "main", message: "m", author: { name: "a", email: "e" }, changes: [{ path: "x", content: "y" }],
});
const head: string | null | undefined = commit.error?.code === "REF_MOVED" ? commit.error.details.head_sha : commit.data?.sha;
const planned = await git.sync.trigger("site", { sync_id: "sync_1", dry_run: true });
const asked = await git.sync.trigger("site", { sync_id: "sync_1", wait: false });
const synced = await git.sync.trigger("site", { sync_id: "sync_1" });
export const told: readonly unknown[] = [head, planned.data?.plan.paths, asked.data?.run_id, synced.data?.files_changed];
for await (const page of paginate((cursor) => git.commits.list("site", { cursor }))) {
  if (page.error !== null) { const failure: CoregitApiError = page.error; throw failure; }
  for (const { sha } of page.data.commits) sha.toUpperCase();
}
const raw = await git.files.stream("site", { path: "x" }, { range: { last: 5 }, signal: new AbortController().signal });
raw.data?.stream.getReader();
// @ts-expect-error: data may be missing.
(await git.repos.get("site")).data.slug;
// @ts-expect-error: no such code.
export const isMoved = commit.error?.code === "REF_MOVD";
// @ts-expect-error: a deletion has no content.
await git.commits.create("site", { branch: "b", message: "m", author: { name: "a", email: "e" }, changes: [{ path: "x", action: "delete", content: "" }] });
`;
