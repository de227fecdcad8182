// Real repositories for tests, made with native git and removed with the test. Identity and dates are fixed, so the same
// steps give the same object ids.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Oid, parseOid } from "../../src/domain/oid.ts";

const ENVIRONMENT: NodeJS.ProcessEnv = {
  PATH: process.env.PATH,
  HOME: "/nonexistent",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_AUTHOR_NAME: "Ada",
  GIT_AUTHOR_EMAIL: "ada@example.com",
  GIT_AUTHOR_DATE: "1700000000 +0000",
  GIT_COMMITTER_NAME: "Ada",
  GIT_COMMITTER_EMAIL: "ada@example.com",
  GIT_COMMITTER_DATE: "1700000000 +0000",
};

/** Runs git in `directory` and returns its output, trimmed. */
export function git(directory: string, args: readonly string[], input?: Uint8Array | string): string {
  const options = { cwd: directory, env: ENVIRONMENT, maxBuffer: 64 * 1024 * 1024, input: input ?? "" };
  return execFileSync("git", [...args], { ...options, stdio: ["pipe", "pipe", "pipe"] })
    .toString("utf8")
    .trim();
}

export type GitFixture = Disposable & {
  /** Folder to serve; holds the bare repositories. */
  readonly root: string;
  /** Makes an empty bare repository `<root>/<name>.git` and a work tree to commit from. */
  createRepository(name: string, branch?: string): FixtureRepository;
};

export type FixtureRepository = {
  readonly bare: string;
  readonly work: string;
  /** Writes files (null deletes), commits all and pushes to `branch`; returns the commit. */
  commit(files: Readonly<Record<string, string | null>>, message?: string, branch?: string): Oid;
  treeOf(commit: Oid): Oid;
};

function commitFiles(work: string, files: Readonly<Record<string, string | null>>): void {
  for (const [path, content] of Object.entries(files)) {
    const full = join(work, path);
    if (content === null) {
      rmSync(full, { recursive: true });
      continue;
    }
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, content);
  }
}

/** A temporary folder of repositories. */
export function createGitFixture(): GitFixture {
  const base = mkdtempSync(join(tmpdir(), "coregit-fixture-"));
  const root = join(base, "served");
  mkdirSync(root);
  return {
    root,
    createRepository(name, branch = "main") {
      const bare = join(root, `${name}.git`);
      const work = join(base, "work", name);
      mkdirSync(bare, { recursive: true });
      mkdirSync(work, { recursive: true });
      git(bare, ["init", "--quiet", "--bare", `--initial-branch=${branch}`]);
      git(work, ["init", "--quiet", `--initial-branch=${branch}`]);
      return {
        bare,
        work,
        commit(files, message = "change", to = branch) {
          commitFiles(work, files);
          git(work, ["add", "--all"]);
          git(work, ["commit", "--quiet", "--allow-empty", "-m", message]);
          git(work, ["push", "--quiet", "--force", bare, `HEAD:refs/heads/${to}`]);
          return parseOid(git(work, ["rev-parse", "HEAD"]));
        },
        treeOf: (commit) => parseOid(git(work, ["rev-parse", `${commit}^{tree}`])),
      };
    },
    [Symbol.dispose]: () => rmSync(base, { recursive: true, force: true }),
  };
}
