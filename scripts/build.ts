// `npm run build [DIR]`: the program and the client as JavaScript, into dist/ or another folder. Installed packages need it,
// because Node strips no types below node_modules. The program finds its migrations beside its code; CRDs stay in crds/.
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = join(import.meta.dirname, "..");
const [given] = process.argv.slice(2);
const target = resolve(given ?? join(root, "dist"));
const tsc = join(root, "node_modules", "typescript", "bin", "tsc");

function compile(project: string, outDir: string): void {
  const { status } = spawnSync(process.execPath, [tsc, "-p", join(root, project), "--outDir", outDir], { stdio: "inherit" });
  if (status !== 0) process.exit(1);
}

/** The compiler leaves `.ts` in the imports of declarations, where Deno and older compilers look for no `.d.ts`. */
function nameCompiledFiles(folder: string): void {
  for (const name of readdirSync(folder).filter((file) => file.endsWith(".d.ts"))) {
    const file = join(folder, name);
    writeFileSync(file, readFileSync(file, "utf8").replace(/(from "\.\/[\w-]+)\.ts"/g, '$1.js"'));
  }
}

/** A package's program is started by the system, which wants to know by what. */
function makeExecutable(file: string): void {
  const text = readFileSync(file, "utf8");
  if (!text.startsWith("#!")) writeFileSync(file, `#!/usr/bin/env node\n${text}`);
  chmodSync(file, 0o755);
}

// Files whose sources are gone must not be packed. A folder of somebody else's choice is not ours to empty.
if (given === undefined) rmSync(target, { recursive: true, force: true });
compile("tsconfig.build.json", target);
compile("src/sdk/tsconfig.json", join(target, "sdk"));
nameCompiledFiles(join(target, "sdk"));
cpSync(join(root, "src/db/migrations"), join(target, "db/migrations"), { recursive: true });
makeExecutable(join(target, "main.js"));
