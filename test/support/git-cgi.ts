// Runs the real `git http-backend` for one request, as a web server would. Knows CGI and nothing of tests' wishes.
import { spawn } from "node:child_process";
import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";

export type CgiOptions = {
  readonly root: string;
  /** `v0` hides the client's Git-Protocol header, as servers before git 2.18 and some proxies do. */
  readonly protocol: "v0" | "v2";
  readonly config: Readonly<Record<string, string>>;
  readonly user: string | null;
  /** Added to the environment, which hooks of the repositories see. */
  readonly env?: Readonly<Record<string, string>>;
};

/** A request as it comes, or one whose body was read before. */
export type CgiRequest = Readable & Pick<IncomingMessage, "method" | "headers">;

export type CgiAnswer = {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: AsyncIterable<Uint8Array>;
  /** Ends the process; harmless when it has ended. */
  stop(): void;
};

function environment(request: CgiRequest, url: URL, options: CgiOptions): NodeJS.ProcessEnv {
  const protocol = request.headers["git-protocol"];
  const config = Object.entries({ "safe.directory": "*", "http.receivepack": "true", ...options.config });
  const settings = config.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ]);
  return {
    PATH: process.env.PATH,
    ...options.env,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_COUNT: String(config.length),
    ...Object.fromEntries(settings),
    GIT_PROJECT_ROOT: options.root,
    GIT_HTTP_EXPORT_ALL: "1",
    REQUEST_METHOD: request.method ?? "GET",
    PATH_INFO: decodeURIComponent(url.pathname),
    QUERY_STRING: url.search.slice(1),
    CONTENT_TYPE: request.headers["content-type"] ?? "",
    HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
    ...(request.headers["content-length"] === undefined ? {} : { CONTENT_LENGTH: request.headers["content-length"] }),
    ...(options.user === null ? {} : { REMOTE_USER: options.user }),
    ...(options.protocol === "v2" && typeof protocol === "string" ? { GIT_PROTOCOL: protocol } : {}),
  };
}

/** Reads up to the empty line; what follows stays in the stream. */
async function readHead(stdout: Readable): Promise<string> {
  let seen = Buffer.alloc(0);
  for (;;) {
    const chunk: Buffer | null = stdout.read();
    if (chunk === null) {
      if (stdout.readableEnded) return seen.toString("latin1");
      await new Promise<void>((resolve) => {
        stdout.once("readable", resolve);
        stdout.once("end", resolve);
      });
      continue;
    }
    seen = Buffer.concat([seen, chunk]);
    const end = seen.indexOf("\r\n\r\n");
    if (end < 0) continue;
    if (seen.length > end + 4) stdout.unshift(seen.subarray(end + 4));
    return seen.subarray(0, end).toString("latin1");
  }
}

/** Answers `request` from the repositories below `options.root`. */
export async function runGitCgi(request: CgiRequest, url: URL, options: CgiOptions): Promise<CgiAnswer> {
  const child = spawn("git", ["http-backend"], { env: environment(request, url, options), stdio: ["pipe", "pipe", "ignore"] });
  const failed = new Promise<never>((_resolve, reject) => child.once("error", reject));
  failed.catch(() => undefined);
  child.stdin.on("error", () => undefined);
  request.pipe(child.stdin);
  const head = await Promise.race([readHead(child.stdout), failed]);
  const headers = new Map(
    head
      .split("\r\n")
      .filter((line) => line.includes(":"))
      .map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()] as const),
  );
  const status = Number.parseInt(headers.get("status") ?? "200", 10);
  headers.delete("status");
  return { status, headers, body: child.stdout, stop: () => child.kill("SIGKILL") };
}
