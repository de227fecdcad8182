// Static checks, all of them, before any test: format, lint, types, generated files. Exit 1 when one fails.
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const bin = (name: string): string => join(root, "node_modules", ".bin", name);

const checks: readonly { readonly name: string; readonly command: string; readonly args: readonly string[] }[] = [
  { name: "format and lint", command: bin("biome"), args: ["check", "--error-on-warnings", "."] },
  { name: "types", command: bin("tsc"), args: ["-p", "."] },
  { name: "generated files", command: process.execPath, args: ["scripts/generate.ts", "--check"] },
  { name: "compatibility with the last release", command: process.execPath, args: ["scripts/check-compatibility.ts"] },
];

const failed = checks.filter(({ name, command, args }) => {
  const { status } = spawnSync(command, args, { cwd: root, stdio: "inherit" });
  console.log(`${status === 0 ? "ok  " : "FAIL"} ${name}`);
  return status !== 0;
});
process.exitCode = failed.length === 0 ? 0 : 1;
