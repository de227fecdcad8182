// A real S3 server on loopback: versitygw over a folder that goes away with it, with credentials of its own, which it puts
// where the AWS SDK of this process finds them.
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { S3Setting } from "../../src/config/config.ts";
import { changedEnvironment } from "./changed-environment.ts";
import { freePorts } from "./free-ports.ts";
import { startProgram } from "./running-program.ts";
import { s3ServerProgram } from "./s3-server-build.ts";
import { until } from "./until.ts";

export interface S3Server extends AsyncDisposable {
  readonly port: number;
  /** The setting of an empty bucket. */
  createBucket(): Promise<S3Setting>;
  /** The folder of a bucket, in which each object is a file. */
  folderOf(bucket: string): string;
}

/** Building the server the first time takes minutes. */
export const S3_SERVER_DEADLINE_MS = 600_000;

export async function startS3Server(): Promise<S3Server> {
  const program = await s3ServerProgram((line) => process.stderr.write(`${line}\n`));
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "coregit-s3-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const buckets = join(folder, "buckets");
  const metadata = join(folder, "metadata");
  await Promise.all([mkdir(buckets), mkdir(metadata)]);
  const [port] = await freePorts(1);
  const accessKey = `test${randomBytes(8).toString("hex")}`;
  const secretKey = randomBytes(20).toString("hex");
  const logPath = join(folder, "log");
  const server = stack.use(
    startProgram(program, {
      // The sidecar folder serves file systems without extended attributes.
      args: [
        "--port",
        `127.0.0.1:${port}`,
        "--quiet",
        "--keep-alive",
        "--health",
        "/healthz",
        "posix",
        "--sidecar",
        metadata,
        buckets,
      ],
      env: { ROOT_ACCESS_KEY: accessKey, ROOT_SECRET_KEY: secretKey },
      logPath,
    }),
  );
  await until(`the S3 server answers (${logPath})`, async () => {
    if (server.child.exitCode !== null) throw new Error(`The S3 server ended: ${await readFile(logPath, "utf8")}`);
    return await isUp(port);
  });
  stack.use(changedEnvironment({ AWS_ACCESS_KEY_ID: accessKey, AWS_SECRET_ACCESS_KEY: secretKey }));
  const owned = stack.move();
  let made = 0;
  return {
    port,
    async createBucket() {
      made += 1;
      const bucket = `packs-${made}`;
      await mkdir(join(buckets, bucket));
      return { kind: "s3", bucket, prefix: "", endpoint: `http://127.0.0.1:${port}`, region: null, forcePathStyle: true };
    },
    folderOf: (bucket) => join(buckets, bucket),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function isUp(port: number): Promise<boolean> {
  return await fetch(`http://127.0.0.1:${port}/healthz`).then(
    (answer) => answer.ok,
    () => false,
  );
}
