// `npm start`: the main job on embedded defaults. Declares one sync of this checkout's own repository and serves until Ctrl-C.
// Where the checkout has no branch with a commit (an unpacked archive), a repository is made from examples/quickstart.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { runMain } from "../src/main.ts";

const root = join(import.meta.dirname, "..");
const dataDir = join(root, ".coregit");
const example = join(root, "examples", "quickstart");

function git(cwd: string, ...args: string[]): string | null {
  const { status, stdout } = spawnSync("git", ["-c", `safe.directory=${cwd}`, ...args], { cwd, encoding: "utf8" });
  return status === 0 ? stdout.trim() : null;
}

/** A repository made from the example's files, once. */
function makeSampleRepository(): string {
  const folder = join(dataDir, "quickstart-source");
  if (existsSync(join(folder, ".git"))) return folder;
  cpSync(join(example, "files"), folder, { recursive: true });
  const identity = ["-c", "user.name=Quickstart", "-c", "user.email=quickstart@example.com"];
  const steps = [
    ["init", "-q", "-b", "main"],
    ["add", "-A"],
    [...identity, "commit", "-q", "-m", "A first commit"],
  ];
  for (const step of steps) {
    if (git(folder, ...step) === null) throw new Error(`git ${step[0]} failed in ${folder}`);
  }
  return folder;
}

/** A sync follows a branch, so a detached HEAD, as some build machines leave it, is not enough. */
function hasBranchWithCommit(folder: string): boolean {
  if (!existsSync(join(folder, ".git"))) return false;
  return git(folder, "symbolic-ref", "-q", "HEAD") !== null && git(folder, "rev-parse", "--verify", "-q", "HEAD") !== null;
}

mkdirSync(dataDir, { recursive: true, mode: 0o700 });
const source = hasBranchWithCommit(root) ? root : makeSampleRepository();

const manifests = join(dataDir, "quickstart");
mkdirSync(manifests, { recursive: true });
const template = readFileSync(join(example, "reposync.yaml"), "utf8");
writeFileSync(join(manifests, "reposync.yaml"), template.replace("file:///path/of/the/checkout", pathToFileURL(source).href));

process.env.COREGIT_FILE_REMOTES = [source, process.env.COREGIT_FILE_REMOTES].filter(Boolean).join(",");
await runMain(["standalone", "--manifests", manifests, "--data-dir", dataDir]);
