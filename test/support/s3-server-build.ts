// Finds versitygw, an S3 server over a folder: in the cache, else it is built once with `go install`.
import { createHash } from "node:crypto";
import { mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { goCaches, isExecutable, runGo, withBuildLock, writableCache } from "./go-build.ts";

const PACKAGE = "github.com/versity/versitygw/cmd/versitygw@v1.8.0";

/** Path of the program. @throws Error naming what to install when there is no Go tool chain. */
export async function s3ServerProgram(say: (line: string) => void): Promise<string> {
  const goVersion = await readGoVersion();
  const key = createHash("sha256").update(`${goVersion}\0${PACKAGE}`).digest("hex").slice(0, 20);
  const target = join(await writableCache("s3-server"), key);
  const program = join(target, "versitygw");
  if (await isExecutable(program)) return program;
  await withBuildLock(`${target}.lock`, async () => {
    if (!(await isExecutable(program))) await installInto(target, say);
  });
  return program;
}

async function readGoVersion(): Promise<string> {
  try {
    return (await runGo(["env", "GOVERSION", "GOOS", "GOARCH"])).trim();
  } catch (cause) {
    throw new Error("The tests of the S3 blob store need an S3 server, which is built with Go 1.26 or newer: install it.", {
      cause,
    });
  }
}

async function installInto(target: string, say: (line: string) => void): Promise<void> {
  const draft = await mkdtemp(`${target}.draft-`);
  try {
    say(`building ${PACKAGE} for the tests, once (about two minutes)`);
    await runGo(["install", "-trimpath", "-ldflags", "-s -w", PACKAGE], { env: { ...(await goCaches(draft)), GOBIN: draft } });
    await rename(draft, target);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}
