// The HTTP API as the client commands use it. A refusal of the server becomes the program's exit code here.
import { CliError, EXIT } from "./exit.ts";
import type { ServerAddress } from "./locate-server.ts";

type Json = Readonly<Record<string, unknown>>;

export interface ApiClient {
  /** @throws CliError with the server's sentence. */
  get(path: string, query?: Readonly<Record<string, string | null>>): Promise<Json>;
  post(path: string, body: Json): Promise<Json>;
  /** Lines of JSON for as long as the server sends them. */
  stream(path: string, query?: Readonly<Record<string, string | null>>): AsyncGenerator<Json>;
}

const READ_DEADLINE_MS = 30_000;
/** A triggered run is waited for as long as a run may take: its timeout is at most 24 h. */
const RUN_DEADLINE_MS = 24 * 3_600_000;
const MAX_ANSWER_BYTES = 64 * 2 ** 20;
const CONFLICT_CODES = new Set(["CONFLICT", "DIVERGED"]);

export function createApiClient({ url, apiKey }: ServerAddress, signal: AbortSignal): ApiClient {
  const request = async (path: string, init: RequestInit, deadlineMs: number | null): Promise<Response> => {
    const ends = deadlineMs === null ? signal : AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
    const headers = { "x-api-key": apiKey, ...(init.body === undefined ? {} : { "content-type": "application/json" }) };
    const response = await fetch(`${url}${path}`, { ...init, headers, signal: ends, redirect: "error" }).catch((error) => {
      throw signal.aborted ? signal.reason : unreachable(url, error);
    });
    if (!response.ok) throw refusal(response.status, await readAnswer(response));
    return response;
  };
  return {
    get: async (path, query = {}) => readAnswer(await request(withQuery(path, query), {}, READ_DEADLINE_MS)),
    post: async (path, body) => readAnswer(await request(path, { method: "POST", body: JSON.stringify(body) }, RUN_DEADLINE_MS)),
    stream: async function* (path, query = {}) {
      const response = await request(withQuery(path, query), {}, null);
      for await (const line of lines(response)) yield JSON.parse(line) as Json;
    },
  };
}

function withQuery(path: string, query: Readonly<Record<string, string | null>>): string {
  const given = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== null);
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`;
}

function unreachable(url: string, error: unknown): CliError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && "code" in cause ? ` (${String(cause.code)})` : "";
  const isTimeout = error instanceof Error && error.name === "TimeoutError";
  const problem = isTimeout ? "did not answer in time" : `does not answer${code}`;
  return new CliError(EXIT.failed, `Coregit at ${url} ${problem}; check that it runs.`);
}

function refusal(status: number, { error, code, details }: Json): CliError {
  const sentence = typeof error === "string" ? error : `The server answered with status ${status}.`;
  const paths = typeof details === "object" && details !== null && "paths" in details ? details.paths : null;
  const listed = Array.isArray(paths) ? paths.map((path) => `\n  ${String(path)}`).join("") : "";
  return new CliError(typeof code === "string" && CONFLICT_CODES.has(code) ? EXIT.conflict : EXIT.failed, sentence + listed);
}

async function readAnswer(response: Response): Promise<Json> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size > MAX_ANSWER_BYTES) throw new CliError(EXIT.failed, "The server's answer is too long.");
    parts.push(part);
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(parts).toString("utf8"));
    if (typeof value === "object" && value !== null) return value as Json;
  } catch {
    // Not JSON: said below.
  }
  throw new CliError(EXIT.failed, `What answers at ${new URL(response.url).origin} is not Coregit (status ${response.status}).`);
}

async function* lines(response: Response): AsyncGenerator<string> {
  let rest = "";
  for await (const text of (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
    const parts = `${rest}${text}`.split("\n");
    rest = parts.pop() ?? "";
    if (rest.length > MAX_ANSWER_BYTES) throw new CliError(EXIT.failed, "The server's answer is too long.");
    yield* parts.filter((line) => line.trim() !== "");
  }
}
